import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { re2Fault } from './re2-syntax.js';

const compiles = (pattern: string) => {
  try {
    RE2JS.compile(pattern);
    return true;
  } catch {
    return false;
  }
};

describe('syntax of regular expressions', () => {
  it('names what RE2 does not have', () => {
    expect(re2Fault('a(?=b)')).toBe('look-around (?= is not possible');
    expect(re2Fault('a(?<!b)')).toBe('look-around (?<! is not possible');
    expect(re2Fault('(a)\\1')).toBe('the back reference \\1 is not possible');
    expect(re2Fault('a(b')).toBe('missing )');
    expect(re2Fault('a)')).toBe('unexpected )');
    expect(re2Fault('[a')).toBe('missing ]');
    expect(re2Fault('*a')).toBe('nothing to repeat before *');
    expect(re2Fault('a{2,1}')).toBe('bad repetition {2,1}');
    expect(re2Fault('a\\')).toBe('a backslash at the end');
    expect(re2Fault('[\\b]')).toBe('\\b is not possible inside [ ]');
    expect(re2Fault('[z-a]')).toBe('range z-a is the wrong way round');
  });

  it('takes what RE2 takes', () => {
    for (const pattern of [
      '^(.*?;)?(user=jason)(;.*)?$',
      '(?i)abc',
      '(?P<n>a)',
      '(?:a|b)+?',
      '[[:alpha:]_]',
      '\\pL\\p{Greek}',
      '[^]a]',
      'a{2,3}',
      'a{x',
      '\\Qa(b\\E',
      '[\\d-z]',
      '\\x{1F600}',
      '',
    ]) {
      expect([pattern, re2Fault(pattern)]).toEqual([pattern, undefined]);
      expect([pattern, compiles(pattern)]).toEqual([pattern, true]);
    }
  });

  it('judges random patterns as the engine of the data plane does', () => {
    const pattern = fc.string({
      unit: fc.constantFrom(
        'a',
        'b',
        '(',
        ')',
        '[',
        ']',
        '*',
        '+',
        '?',
        '|',
        '^',
        '$',
        '.',
        '-',
        '{2}',
        '{2,}',
        '{',
        '}',
        '\\d',
        '\\',
        ':',
        '(?:',
        '(?i)',
        '(?=',
      ),
      maxLength: 8,
    });
    fc.assert(
      fc.property(pattern, (text) => {
        expect([text, re2Fault(text) === undefined]).toEqual([text, compiles(text)]);
      }),
      { numRuns: 3000 },
    );
  });
});
