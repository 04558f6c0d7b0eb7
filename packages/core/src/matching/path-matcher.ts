// Matching of paths as routes and policies do: on the path without query and fragment (Envoy: PathMatcher, removeQueryAndFragment).
import type { PathMatcher, RouteMatch } from '@heddle/xds';
import { MeshError } from '../errors.js';
import { asciiLower } from './ascii-case.js';
import { compileSafeRegex } from './safe-regex.js';
import { type CompiledString, compileStringMatcher } from './string-matcher.js';
import { type CompiledTemplate, URI_TEMPLATE_MATCH_TYPE_URL, compileUriTemplateAny } from './uri-template.js';

/** The path without `?query` and `#fragment`. A path that has neither is returned as it is. */
export function pathOnly(path: string): string {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === 0x3f || code === 0x23) return path.slice(0, i);
  }
  return path;
}

/** What a route asks of the path. `plain` kinds can be indexed; `test` takes the path without query. */
export type CompiledPath = { readonly test: (path: string) => boolean; readonly text: string } & (
  | {
      readonly kind: 'prefix' | 'exact' | 'separated-prefix';
      readonly value: string;
      readonly ignoreCase: boolean;
    }
  | { readonly kind: 'template'; readonly template: CompiledTemplate }
  | { readonly kind: 'other' }
);

/**
 * Compiles the path part of a RouteMatch; throws MeshError CONFIG_INVALID naming the field. A connect_matcher never matches: CONNECT does not reach an
 * application.
 */
export function compilePathSpecifier(match: RouteMatch): CompiledPath {
  const specifier = match.pathSpecifier;
  const ignoreCase = match.caseSensitive === false;
  switch (specifier.case) {
    case 'prefix':
      return plainPath('prefix', specifier.value, ignoreCase);
    case 'path':
      return plainPath('exact', specifier.value, ignoreCase);
    case 'pathSeparatedPrefix':
      checkSeparatedPrefix(specifier.value);
      return plainPath('separated-prefix', specifier.value, ignoreCase);
    case 'safeRegex': {
      const regex = compileSafeRegex(specifier.value.regex);
      return { kind: 'other', test: (path) => regex.matches(path), text: `regex ${JSON.stringify(regex.pattern)}` };
    }
    case 'connectMatcher':
      return { kind: 'other', test: () => false, text: 'CONNECT requests only' };
    case 'pathMatchPolicy': {
      const template = compileUriTemplateAny(specifier.value.typedConfig);
      if (template === undefined)
        throw new MeshError('CONFIG_INVALID', `path_match_policy: only ${URI_TEMPLATE_MATCH_TYPE_URL} is supported`);
      return { kind: 'template', template, test: (path) => template.matches(path), text: template.text };
    }
    case undefined:
      throw new MeshError(
        'CONFIG_INVALID',
        'path_specifier: none of prefix, path, safe_regex, path_separated_prefix is set',
      );
  }
}

/** Envoy's PathMatcher (RBAC url_path): a StringMatcher on the path without query. Throws MeshError CONFIG_INVALID. */
export function compilePathMatcher(matcher: PathMatcher): CompiledString {
  if (matcher.rule.case === undefined) throw new MeshError('CONFIG_INVALID', 'path: must be set');
  const inner = compileStringMatcher(matcher.rule.value);
  return { matches: (path) => inner.matches(pathOnly(path)), text: inner.text };
}

function plainPath(kind: 'prefix' | 'exact' | 'separated-prefix', value: string, ignoreCase: boolean): CompiledPath {
  const wanted = ignoreCase ? asciiLower(value) : value;
  const compare = comparison(kind, wanted);
  const test = ignoreCase ? (path: string) => compare(asciiLower(path)) : compare;
  const label = { prefix: 'prefix', exact: 'path', 'separated-prefix': 'path-separated prefix' }[kind];
  return {
    kind,
    value: wanted,
    ignoreCase,
    test,
    text: `${label} ${JSON.stringify(value)}${ignoreCase ? ' (any case)' : ''}`,
  };
}

function comparison(kind: 'prefix' | 'exact' | 'separated-prefix', wanted: string): (path: string) => boolean {
  switch (kind) {
    case 'prefix':
      return (path) => path.startsWith(wanted);
    case 'exact':
      return (path) => path === wanted;
    case 'separated-prefix':
      return (path) =>
        path.startsWith(wanted) && (path.length === wanted.length || path.charCodeAt(wanted.length) === 0x2f);
  }
}

/** Envoy: path_separated_prefix starts with `/`, ends without, and holds no query or fragment. */
function checkSeparatedPrefix(value: string): void {
  if (!/^[^?#]+[^?#/]$/.test(value))
    throw new MeshError(
      'CONFIG_INVALID',
      `path_separated_prefix: ${JSON.stringify(value)} must not end with "/" or hold "?" or "#"`,
    );
}
