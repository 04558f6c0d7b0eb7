// Envoy's StringMatcher: exact, prefix, suffix, contains or whole-match regex, optionally without regard to ASCII case.
import type { StringMatcher } from '@heddle/xds';
import { MeshError } from '../errors.js';
import { asciiLower } from './ascii-case.js';
import { compileSafeRegex } from './safe-regex.js';

export interface CompiledString {
  matches(text: string): boolean;
  /** For explain: `exact "/a"`, `prefix "/reviews"`, `regex ".*"`; `(any case)` where case is ignored. */
  readonly text: string;
}

/** Compiles a StringMatcher; throws MeshError CONFIG_INVALID for a bad regex, a custom matcher, or one that says nothing. */
export function compileStringMatcher(matcher: StringMatcher): CompiledString {
  const pattern = matcher.matchPattern;
  switch (pattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return compileText(pattern.case, pattern.value, matcher.ignoreCase);
    case 'safeRegex': {
      // Envoy: ignore_case has no effect on safe_regex.
      const regex = compileSafeRegex(pattern.value.regex);
      return { matches: (text) => regex.matches(text), text: `regex ${JSON.stringify(regex.pattern)}` };
    }
    case 'custom':
      throw new MeshError('CONFIG_INVALID', `custom: string matcher extension ${pattern.value.name} is not supported`);
    case undefined:
      throw new MeshError(
        'CONFIG_INVALID',
        'match_pattern: none of exact, prefix, suffix, contains, safe_regex is set',
      );
  }
}

/** How a plain text is compared. */
export type TextComparison = 'exact' | 'prefix' | 'suffix' | 'contains';

/** The plain comparisons, for matchers that carry their text in fields of their own. */
export function compileText(comparison: TextComparison, value: string, ignoreCase = false): CompiledString {
  const text = `${comparison} ${JSON.stringify(value)}${ignoreCase ? ' (any case)' : ''}`;
  const wanted = ignoreCase ? asciiLower(value) : value;
  const compare = comparisonOf(comparison, wanted);
  return { matches: ignoreCase ? (came) => compare(asciiLower(came)) : compare, text };
}

function comparisonOf(comparison: TextComparison, wanted: string): (came: string) => boolean {
  switch (comparison) {
    case 'exact':
      return (came) => came === wanted;
    case 'prefix':
      return (came) => came.startsWith(wanted);
    case 'suffix':
      return (came) => came.endsWith(wanted);
    case 'contains':
      return (came) => came.includes(wanted);
  }
}
