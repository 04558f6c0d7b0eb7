// Envoy's HeaderMatcher: every kind, the deprecated ones too, with inversion and the treatment of missing headers (Envoy: HeaderUtility).
import type { HeaderMatcher, Int64Range } from '@heddle/xds';
import { MeshError } from '../errors.js';
import type { RequestHead } from '../request-head.js';
import { asciiLower } from './ascii-case.js';
import { compileSafeRegex } from './safe-regex.js';
import { type CompiledString, compileStringMatcher, compileText } from './string-matcher.js';

export interface CompiledHeader {
  matches(head: Pick<RequestHead, 'header' | 'values'>): boolean;
  /** Lower-case name as looked up; `host` is answered by `:authority`, as in Envoy. */
  readonly name: string;
  /** For explain: `exact "jason"`, `not present`. */
  readonly text: string;
}

/** Compiles a HeaderMatcher; throws MeshError CONFIG_INVALID naming the field at fault. */
export function compileHeaderMatcher(matcher: HeaderMatcher): CompiledHeader {
  if (matcher.name === '') throw new MeshError('CONFIG_INVALID', 'name: must not be empty');
  const name = headerKey(matcher.name);
  const invert = matcher.invertMatch;
  const specifier = matcher.headerMatchSpecifier;
  // Envoy: a matcher without a specifier asks for presence.
  if (specifier.case === undefined || specifier.case === 'presentMatch') {
    const present = specifier.case === undefined || specifier.value;
    return presenceMatcher(name, present, invert, matcher.treatMissingHeaderAsEmpty);
  }
  const value = compileValue(specifier);
  const text = invert ? `not ${value.text}` : value.text;
  // Envoy: a missing header never matches, inverted or not, unless it counts as empty.
  const missing = matcher.treatMissingHeaderAsEmpty ? value.matches('') !== invert : false;
  const matches: CompiledHeader['matches'] = (head) => {
    const came = head.header(name);
    if (came === undefined) return missing;
    // Envoy 1.39 (match_headers_individually): of several headers each is looked at by itself; one that matches is enough.
    const values = came.includes(',') ? head.values?.(name) : undefined;
    return (values === undefined ? value.matches(came) : values.some((each) => value.matches(each))) !== invert;
  };
  return { matches, name, text };
}

/** The key under which RequestHead answers a header of a configuration. */
export function headerKey(name: string): string {
  const lower = asciiLower(name);
  return lower === 'host' ? ':authority' : lower;
}

function presenceMatcher(name: string, present: boolean, invert: boolean, missingIsEmpty: boolean): CompiledHeader {
  const wanted = present !== invert;
  return {
    matches: (head) => (missingIsEmpty || head.header(name) !== undefined) === wanted,
    name,
    text: wanted ? 'present' : 'absent',
  };
}

type ValueSpecifier = Exclude<HeaderMatcher['headerMatchSpecifier'], { case: undefined } | { case: 'presentMatch' }>;

/* eslint-disable @typescript-eslint/no-deprecated -- Envoy still honours the deprecated fields, so older feeds may send them */
function compileValue(specifier: ValueSpecifier): CompiledString {
  switch (specifier.case) {
    case 'stringMatch':
      return compileStringMatcher(specifier.value);
    case 'exactMatch':
      // Envoy: an empty deprecated exact_match takes any value.
      return specifier.value === '' ? { matches: () => true, text: 'present' } : compileText('exact', specifier.value);
    case 'prefixMatch':
      return compileText('prefix', specifier.value);
    case 'suffixMatch':
      return compileText('suffix', specifier.value);
    case 'containsMatch':
      return compileText('contains', specifier.value);
    case 'safeRegexMatch': {
      const regex = compileSafeRegex(specifier.value.regex);
      return { matches: (text) => regex.matches(text), text: `regex ${JSON.stringify(regex.pattern)}` };
    }
    case 'rangeMatch':
      return compileRange(specifier.value);
  }
}

/* eslint-enable @typescript-eslint/no-deprecated */

/** Whole decimal numbers in [start, end); anything else does not match. */
function compileRange(range: Int64Range): CompiledString {
  const { start, end } = range;
  return {
    matches(text) {
      if (!/^\s*[+-]?\d{1,19}\s*$/.test(text)) return false;
      const value = BigInt(text.trim().replace(/^\+/, ''));
      return value >= start && value < end;
    },
    text: `range [${String(start)}, ${String(end)})`,
  };
}
