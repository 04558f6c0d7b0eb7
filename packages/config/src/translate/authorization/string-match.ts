// Value patterns of AuthorizationPolicy as Envoy matchers: `*` any, `*suffix`, `prefix*`, exact (Istio: authz/matcher).
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import { type HeaderMatcher, HeaderMatcherSchema, type StringMatcher, StringMatcherSchema, create } from '@heddle/xds';
import { quoteRegex } from '../route/http-action.js';
import { regexMatcher } from '../wire.js';

type Kind = 'exact' | 'prefix' | 'suffix';

export function textMatcher(kind: Kind, value: string, ignoreCase = false): StringMatcher {
  return create(StringMatcherSchema, { matchPattern: { case: kind, value }, ignoreCase });
}

/** `before` is put in front of what must match, as `spiffe://` of principals. */
export function patternMatcher(pattern: string, before = ''): StringMatcher {
  if (pattern === '*') return regexMatcher('.+');
  if (pattern.startsWith('*')) {
    const suffix = pattern.slice(1);
    return before === '' ? textMatcher('suffix', suffix) : regexMatcher(`${before}.*${quoteRegex(suffix)}`);
  }
  if (pattern.endsWith('*')) return textMatcher('prefix', before + pattern.slice(0, -1));
  return textMatcher('exact', before + pattern);
}

/** Host names are compared without case, other headers with it. */
export function headerPattern(name: string, pattern: string, ignoreCase = false): HeaderMatcher {
  if (pattern === '*')
    return create(HeaderMatcherSchema, { name, headerMatchSpecifier: { case: 'presentMatch', value: true } });
  const [kind, value]: [Kind, string] = pattern.startsWith('*')
    ? ['suffix', pattern.slice(1)]
    : pattern.endsWith('*')
      ? ['prefix', pattern.slice(0, -1)]
      : ['exact', pattern];
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: { case: 'stringMatch', value: textMatcher(kind, value, ignoreCase) },
  });
}
