import { StringMatcherSchema, fromJson, type JsonValue } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { compileStringMatcher } from './string-matcher.js';

const compile = (json: JsonValue) => compileStringMatcher(fromJson(StringMatcherSchema, json));

describe('compileStringMatcher', () => {
  it.each<[JsonValue, string, boolean]>([
    [{ exact: 'a' }, 'a', true],
    [{ exact: 'a' }, 'A', false],
    [{ exact: 'a', ignore_case: true }, 'A', true],
    [{ exact: '' }, '', true],
    [{ exact: '' }, 'x', false],
    [{ prefix: '/re' }, '/reviews', true],
    [{ prefix: '/RE', ignore_case: true }, '/reviews', true],
    [{ suffix: '.js' }, 'a.js', true],
    [{ suffix: '.js' }, 'a.JS', false],
    [{ contains: 'bob' }, 'xbobx', true],
    [{ contains: 'BOB', ignore_case: true }, 'xbobx', true],
    [{ safe_regex: { regex: 'a|b' } }, 'ab', false],
    [{ safe_regex: { regex: 'a' }, ignore_case: true }, 'A', false],
    [{ exact: 'k', ignore_case: true }, '\u212a', false],
    [{ exact: 'é', ignore_case: true }, 'É', false],
    [{ exact: '__proto__' }, '__proto__', true],
  ])('%j on %s is %s', (json, came, expected) => {
    expect(compile(json).matches(came)).toBe(expected);
  });

  it('says in words what it asks for', () => {
    expect(compile({ prefix: '/reviews' }).text).toBe('prefix "/reviews"');
    expect(compile({ exact: 'x', ignore_case: true }).text).toBe('exact "x" (any case)');
  });

  it('refuses a matcher that says nothing, and extensions', () => {
    expect(() => compile({})).toThrow(MeshError);
    expect(() => compile({ custom: { name: 'mine' } })).toThrow(/mine is not supported/);
  });
});
