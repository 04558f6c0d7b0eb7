import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, nearestName } from './nearest-name.js';

describe('did you mean', () => {
  it('finds the likely slip, and says nothing when there is none', () => {
    expect(nearestName('reveiws', ['ratings', 'reviews', 'details'])).toBe('reviews');
    expect(nearestName('Timeout', ['timeout'])).toBe('timeout');
    expect(nearestName('retry', ['timeout', 'route'])).toBeUndefined();
    expect(didYouMean('timout', ['timeout'])).toBe('did you mean `timeout`?');
  });

  it('counts a swap, a lost, a wrong and an added letter as one', () => {
    expect(['ab', 'a', 'abd', 'abcc'].map((text) => editDistance('abc', text))).toEqual([1, 2, 1, 1]);
    expect(editDistance('abc', 'acb')).toBe(1);
  });

  it('measures the same both ways, and zero only for equal words', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b, 2)).toBe(Math.min(2, editDistance(a, b)));
      }),
    );
  });
});
