import { HeaderMatcherSchema, fromJson, type JsonValue } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { compileHeaderMatcher } from './header-matcher.js';

const head = (headers: Record<string, string>) => {
  const map = new Map(Object.entries(headers));
  return { header: (name: string) => map.get(name) };
};
const matches = (json: JsonValue, headers: Record<string, string>) =>
  compileHeaderMatcher(fromJson(HeaderMatcherSchema, json)).matches(head(headers));

describe('compileHeaderMatcher', () => {
  it.each<[string, JsonValue, Record<string, string>, boolean]>([
    [
      'name without regard to case',
      { name: 'End-User', string_match: { exact: 'jason' } },
      { 'end-user': 'jason' },
      true,
    ],
    ['other value', { name: 'end-user', string_match: { exact: 'jason' } }, { 'end-user': 'bob' }, false],
    ['host is the authority', { name: 'Host', string_match: { exact: 'a' } }, { ':authority': 'a' }, true],
    ['deprecated exact', { name: 'x', exact_match: 'a' }, { x: 'a' }, true],
    ['deprecated empty exact takes any value', { name: 'x', exact_match: '' }, { x: 'a' }, true],
    ['deprecated prefix', { name: 'x', prefix_match: 'a' }, { x: 'abc' }, true],
    ['deprecated suffix', { name: 'x', suffix_match: 'c' }, { x: 'abc' }, true],
    ['deprecated contains', { name: 'x', contains_match: 'z' }, { x: 'abc' }, false],
    ['deprecated regex is whole', { name: 'x', safe_regex_match: { regex: 'a|b' } }, { x: 'ab' }, false],
    ['range start is in', { name: 'x', range_match: { start: -10, end: 0 } }, { x: '-10' }, true],
    ['range end is out', { name: 'x', range_match: { start: -10, end: 0 } }, { x: '0' }, false],
    ['range with a plus', { name: 'x', range_match: { start: 1, end: 9 } }, { x: '+5' }, true],
    ['range on text', { name: 'x', range_match: { start: -10, end: 0 } }, { x: '-9x' }, false],
    ['range on empty', { name: 'x', range_match: { start: 0, end: 9 } }, { x: '' }, false],
    [
      'range on more digits than int64 has',
      { name: 'x', range_match: { start: 0, end: 9 } },
      { x: '1'.repeat(30) },
      false,
    ],
    ['no specifier asks for presence', { name: 'x' }, { x: '' }, true],
    ['no specifier, absent', { name: 'x' }, {}, false],
    ['present false', { name: 'x', present_match: false }, {}, true],
    ['present inverted', { name: 'x', present_match: true, invert_match: true }, {}, true],
    ['present inverted, there', { name: 'x', present_match: true, invert_match: true }, { x: 'a' }, false],
    ['inverted value', { name: 'x', string_match: { exact: 'a' }, invert_match: true }, { x: 'b' }, true],
    ['inverted value, missing header', { name: 'x', string_match: { exact: 'a' }, invert_match: true }, {}, false],
    [
      'missing counts as empty',
      { name: 'x', string_match: { exact: '' }, treat_missing_header_as_empty: true },
      {},
      true,
    ],
    [
      'missing counts as empty, inverted range',
      { name: 'x', range_match: { start: 1, end: 9 }, invert_match: true, treat_missing_header_as_empty: true },
      {},
      true,
    ],
    ['prototype name', { name: '__proto__', present_match: true }, {}, false],
    ['constructor name', { name: 'constructor', string_match: { safe_regex: { regex: '.*' } } }, {}, false],
  ])('%s', (_, json, headers, expected) => {
    expect(matches(json, headers)).toBe(expected);
  });

  it('refuses an empty name', () => {
    expect(() => matches({ name: '' }, {})).toThrow(MeshError);
  });

  it('says in words what it asks for', () => {
    const text = (json: JsonValue) => compileHeaderMatcher(fromJson(HeaderMatcherSchema, json)).text;
    expect(text({ name: 'x', range_match: { start: 1, end: 5 } })).toBe('range [1, 5)');
    expect(text({ name: 'x', present_match: false })).toBe('absent');
    expect(text({ name: 'x', string_match: { exact: 'a' }, invert_match: true })).toBe('not exact "a"');
  });
});

describe('a header that was sent twice', () => {
  const twice = (...values: string[]) => ({ header: () => values.join(','), values: () => values });
  const matcher = (json: JsonValue) => compileHeaderMatcher(fromJson(HeaderMatcherSchema, json));

  it('matches by either of its values, never by both together', () => {
    const exact = matcher({ name: 'x', string_match: { exact: 'jason' } });
    expect([
      exact.matches(twice('jason', 'bob')),
      exact.matches(twice('bob', 'jason')),
      exact.matches(twice('bob', 'eve')),
    ]).toEqual([true, true, false]);
    const regex = matcher({ name: 'x', string_match: { safe_regex: { regex: 'a.*z' } } });
    expect([regex.matches(twice('q', 'az')), regex.matches(twice('ab', 'cz'))]).toEqual([true, false]);
  });

  it('is kept out by an inverted matcher when any of its values is the one', () => {
    const not = matcher({ name: 'x', invert_match: true, string_match: { exact: 'b' } });
    expect([not.matches(twice('b', 'c')), not.matches(twice('c', 'b')), not.matches(twice('c', 'd'))]).toEqual([
      false,
      false,
      true,
    ]);
  });
});
