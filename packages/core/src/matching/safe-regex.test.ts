import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { compileSafeRegex } from './safe-regex.js';

/** Patterns whose meaning RE2 and JavaScript share, so that JavaScript can be the oracle. */
const pattern = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', 'c', '/', '.', '[ab]', '[^a]', '\\.', '\\d'),
    tie('node').map((inner) => `(?:${inner})`),
  ),
  node: fc
    .array(fc.tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '{2}')), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.map(([atom, repeat]) => atom + repeat).join(''))
    .chain((left) =>
      fc
        .option(fc.constantFrom('a', 'ab', 'b.*', ''), { nil: undefined })
        .map((right) => (right === undefined ? left : `${left}|${right}`)),
    ),
})).node;
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '/', '.', '1', '\n'), maxLength: 8 });

describe('compileSafeRegex', () => {
  it('matches the whole text only: an alternation does not let a longer text through', () => {
    const regex = compileSafeRegex('a|b');
    expect(regex.matches('a')).toBe(true);
    expect(regex.matches('b')).toBe(true);
    expect(regex.matches('ab')).toBe(false);
    expect(compileSafeRegex('a|ab').matches('ab')).toBe(true);
    expect(compileSafeRegex('^/admin|/public$').matches('/admin/secret')).toBe(false);
    expect(compileSafeRegex('[a]|b').matches('ab')).toBe(false);
  });

  it('agrees with ^(?:…)$ on random expressions and texts', () => {
    fc.assert(
      fc.property(pattern, text, (source, came) => {
        // JavaScript's dot also excludes \r and the line separators, which the alphabet leaves out.
        expect(compileSafeRegex(source).matches(came)).toBe(new RegExp(`^(?:${source})$`).test(came));
      }),
      { numRuns: 2000 },
    );
  });

  it('answers the common shapes as the engine would', () => {
    fc.assert(
      fc.property(fc.constantFrom('.*', '.+', '/a.*', '/a.+', 'x', '', 'x|yy|z', 'a||b'), text, (source, came) => {
        expect(compileSafeRegex(source).matches(came)).toBe(compileSafeRegex(`(?:${source})`).matches(came));
      }),
    );
  });

  it('stays linear on a pattern that backtracking engines choke on', () => {
    const regex = compileSafeRegex('(a+)+b');
    const started = performance.now();
    expect(regex.matches('a'.repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each(['(', 'a**', '[z-a]', '(?=a)', '\\1', 'a{1001}'])('refuses %s, which RE2 does not take', (source) => {
    expect(() => compileSafeRegex(source)).toThrow(MeshError);
  });

  it('refuses a pattern of absurd length', () => {
    expect(() => compileSafeRegex('a'.repeat(20_000))).toThrow(/longer than/);
  });
});

describe('replaceAll', () => {
  it.each([
    ['^/service/([^/]+)(/.*)$', '\\2/instance/\\1', '/service/foo/v1/api', '/v1/api/instance/foo'],
    ['one', 'two', '/xxx/one/yyy/one/zzz', '/xxx/two/yyy/two/zzz'],
    ['^(.*?)one(.*)$', '\\1two\\2', '/xxx/one/yyy/one/zzz', '/xxx/two/yyy/one/zzz'],
    ['(?i)/xxx/', '/yyy/', '/aaa/XxX/bbb', '/aaa/yyy/bbb'],
    ['a', '[\\0]', 'banana', 'b[a]n[a]n[a]'],
    ['b*', '-', 'abc', '-a-c-'],
    ['x', '\\\\', 'axa', 'a\\a'],
    ['q', 'z', 'unchanged', 'unchanged'],
  ])('%s with %s turns %s into %s', (source, substitution, came, expected) => {
    expect(compileSafeRegex(source).replaceAll(came, substitution)).toBe(expected);
  });

  it('treats $ in the substitution and the text as a plain character', () => {
    expect(compileSafeRegex('(a)').replaceAll('$a$', '$1')).toBe('$$1$');
  });

  it('refuses a substitution that names a group which is not there', () => {
    expect(() => compileSafeRegex('(a)').checkSubstitution('\\2')).toThrow(/only 1 groups/);
    expect(() => compileSafeRegex('(a)').checkSubstitution('\\x')).toThrow(MeshError);
  });
});
