import {
  PathMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
  create,
  fromJson,
  type JsonValue,
} from '@heddle/xds';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { compilePathMatcher, compilePathSpecifier, pathOnly } from './path-matcher.js';
import { compileQueryMatcher, queryParameter } from './query-matcher.js';
import { compileUriTemplate } from './uri-template.js';

const takes = (json: JsonValue, path: string) =>
  compilePathSpecifier(fromJson(RouteMatchSchema, json)).test(pathOnly(path));

describe('compilePathSpecifier', () => {
  it.each<[JsonValue, string, boolean]>([
    [{ prefix: '/a' }, '/abc?x', true],
    [{ prefix: '/a?x' }, '/a?x', false],
    [{ prefix: '/A', case_sensitive: false }, '/abc', true],
    [{ path: '/a' }, '/a?q=/b', true],
    [{ path: '/a' }, '/a#f', true],
    [{ path: '/a' }, '/a/', false],
    [{ path: '/A', case_sensitive: false }, '/a', true],
    [{ safe_regex: { regex: '/b[aeiou]t' } }, '/bat?x=1', true],
    [{ safe_regex: { regex: '/b|/c' } }, '/b/c', false],
    [{ path_separated_prefix: '/rest/api' }, '/rest/api', true],
    [{ path_separated_prefix: '/rest/api' }, '/rest/api/', true],
    [{ path_separated_prefix: '/rest/api' }, '/rest/api?p=1', true],
    [{ path_separated_prefix: '/rest/api' }, '/rest/apithing', false],
    [{ connect_matcher: {} }, '/', false],
  ])('%j on %s is %s', (json, path, expected) => {
    expect(takes(json, path)).toBe(expected);
  });

  it('refuses a route without a path condition, and a separated prefix that ends with a slash', () => {
    expect(() => takes({}, '/')).toThrow(MeshError);
    expect(() => takes({ path_separated_prefix: '/a/' }, '/')).toThrow(/must not end/);
  });
});

describe('compilePathMatcher', () => {
  it('looks at the path without its query', () => {
    const matcher = compilePathMatcher(fromJson(PathMatcherSchema, { path: { exact: '/admin' } }));
    expect(matcher.matches('/admin?x=1')).toBe(true);
    expect(matcher.matches('/admin/x')).toBe(false);
    expect(() => compilePathMatcher(create(PathMatcherSchema))).toThrow(MeshError);
  });
});

describe('query parameters', () => {
  const matches = (json: JsonValue, path: string) =>
    compileQueryMatcher(fromJson(QueryParameterMatcherSchema, json)).matches(path);

  it.each<[JsonValue, string, boolean]>([
    [{ name: 'id', string_match: { exact: '1' } }, '/?id=1', true],
    [{ name: 'id', string_match: { exact: '1' } }, '/?id=2&id=1', false],
    [{ name: 'id', present_match: true }, '/?a&id', true],
    [{ name: 'id', present_match: true }, '/?idx=1', false],
    [{ name: 'id', present_match: false }, '/?idx=1', true],
    [{ name: 'id' }, '/?xid=1&id=', true],
    [{ name: 'id', string_match: { prefix: 'a' } }, '/', false],
    [{ name: '__proto__', present_match: true }, '/?a=1', false],
  ])('%j on %s is %s', (json, path, expected) => {
    expect(matches(json, path)).toBe(expected);
  });

  it('finds the first value of every parameter that was written', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '%', '+'), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { maxLength: 6 }), word, (pairs, name) => {
        const path = `/p?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`;
        expect(queryParameter(path, name)).toBe(pairs.find(([key]) => key === name)?.[1]);
      }),
    );
  });
});

describe('URI templates', () => {
  it.each([
    ['/a/{id}', '/a/1', true],
    ['/a/{id}', '/a/1/2', false],
    ['/a/*/c', '/a/b/c', true],
    ['/a/**', '/a/b/c', true],
    ['/a/{rest=**}', '/a/b/c', true],
    ['/a/{x=b/*}', '/a/b/z', true],
    ['/a/{x=b/*}', '/a/c/z', false],
    ['/a.b/{id}', '/axb/1', false],
  ])('%s on %s is %s', (template, path, expected) => {
    expect(compileUriTemplate(template).matches(path)).toBe(expected);
  });

  it('rewrites by its variables', () => {
    const template = compileUriTemplate('/{country}/{lang=en/*}/x');
    expect(template.rewrite('/uk/en/gb/x', '/{lang}/{country}')).toBe('/en/gb/uk');
    expect(template.rewrite('/nope', '/{lang}')).toBeUndefined();
  });

  it.each(['a', '/{id', '/{1x}', '/{a}/{a}', '/**/x/*', '/a?b'])('refuses %s', (template) => {
    expect(() => compileUriTemplate(template)).toThrow(MeshError);
  });
});
