// Compiles the SAN matchers of TLS contexts into the form that the identity check uses (Envoy: match_typed_subject_alt_names).
import { type StringMatcher, type SubjectAltNameMatcher, SubjectAltNameMatcher_SanType } from '@heddle/xds';
import { MeshError } from '../errors.js';
import type { SanMatcher } from '../identity/san-matcher.js';
import { compileStringMatcher } from './string-matcher.js';

/** Typed matchers and the legacy untyped ones, as one list of which any one must match. Throws MeshError CONFIG_INVALID. */
export function compileSanMatchers(
  typed: readonly SubjectAltNameMatcher[],
  untyped: readonly StringMatcher[] = [],
): readonly SanMatcher[] {
  return [
    ...typed.map((matcher) => compileSan(sanType(matcher.sanType), matcher.matcher)),
    ...untyped.map((matcher) => compileSan('any', matcher)),
  ];
}

function compileSan(type: SanMatcher['type'], matcher: StringMatcher | undefined): SanMatcher {
  if (matcher === undefined) throw new MeshError('CONFIG_INVALID', 'matcher: must be set');
  const compiled = compileStringMatcher(matcher);
  if (type === 'dns' && matcher.matchPattern.case === 'exact')
    return dnsName(matcher.matchPattern.value, compiled.text);
  return { type, matches: (san) => compiled.matches(san), text: compiled.text };
}

/** Envoy matches an exact DNS name as TLS clients do: without case, and a certificate's `*.` stands for one label (RFC 6125 §6.4.3). */
function dnsName(wanted: string, text: string): SanMatcher {
  const name = wanted.toLowerCase();
  const dot = name.indexOf('.');
  const wildcard = dot > 0 ? `*${name.slice(dot)}` : undefined;
  return {
    type: 'dns',
    matches: (san) => {
      const came = san.toLowerCase();
      return came === name || (wildcard !== undefined && came === wildcard);
    },
    text,
  };
}

function sanType(type: SubjectAltNameMatcher_SanType): SanMatcher['type'] {
  switch (type) {
    case SubjectAltNameMatcher_SanType.URI:
      return 'uri';
    case SubjectAltNameMatcher_SanType.DNS:
      return 'dns';
    case SubjectAltNameMatcher_SanType.EMAIL:
      return 'email';
    case SubjectAltNameMatcher_SanType.IP_ADDRESS:
      return 'ip';
    case SubjectAltNameMatcher_SanType.SAN_TYPE_UNSPECIFIED:
    case SubjectAltNameMatcher_SanType.OTHER_NAME:
      // A name that can't be checked must not be taken for checked.
      throw new MeshError('CONFIG_INVALID', `san_type: ${SubjectAltNameMatcher_SanType[type]} is not supported`);
  }
}
