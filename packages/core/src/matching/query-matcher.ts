// Envoy's QueryParameterMatcher: the first value of a parameter, not decoded (Envoy: ConfigUtility::QueryParameterMatcher).
import type { QueryParameterMatcher } from '@heddle/xds';
import { MeshError } from '../errors.js';
import { compileStringMatcher } from './string-matcher.js';

export interface CompiledQuery {
  /** Takes the whole path with its query. */
  matches(path: string): boolean;
  readonly name: string;
  readonly text: string;
}

/** Compiles a QueryParameterMatcher; throws MeshError CONFIG_INVALID naming the field. */
export function compileQueryMatcher(matcher: QueryParameterMatcher): CompiledQuery {
  const { name } = matcher;
  if (name === '') throw new MeshError('CONFIG_INVALID', 'name: must not be empty');
  const specifier = matcher.queryParameterMatchSpecifier;
  if (specifier.case === 'stringMatch') {
    const value = compileStringMatcher(specifier.value);
    const matches = (path: string): boolean => {
      const came = queryParameter(path, name);
      return came !== undefined && value.matches(came);
    };
    return { matches, name, text: value.text };
  }
  const present = specifier.case === undefined || specifier.value;
  return {
    matches: (path) => (queryParameter(path, name) !== undefined) === present,
    name,
    text: present ? 'present' : 'absent',
  };
}

/** First value of a query parameter, as it stands in the path; a parameter without `=` is empty; undefined when absent. */
export function queryParameter(path: string, name: string): string | undefined {
  let start = path.indexOf('?') + 1;
  if (start === 0) return undefined;
  while (start <= path.length) {
    const ampersand = path.indexOf('&', start);
    const end = ampersand === -1 ? path.length : ampersand;
    if (path.startsWith(name, start)) {
      const after = start + name.length;
      if (after === end) return '';
      if (after < end && path.charCodeAt(after) === 0x3d) return path.slice(after + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}
