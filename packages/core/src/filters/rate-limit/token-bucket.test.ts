import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.js';

const shape = fc.record({
  max: fc.integer({ min: 1, max: 1_000 }),
  perSecond: fc.integer({ min: 1, max: 1_000 }),
  gapsMs: fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 60 }),
});

test('over any stretch of time no more is granted than the bucket held plus what was filled', () => {
  fc.assert(
    fc.property(shape, ({ max, perSecond, gapsMs }) => {
      const bucket = new TokenBucket(max, perSecond / 1_000, 0);
      let nowMs = 0;
      let granted = 0;
      for (const gap of gapsMs) {
        nowMs += gap;
        granted += bucket.consume(1, nowMs) + bucket.consume(5, nowMs, true);
        expect(granted).toBeLessThanOrEqual(max + (nowMs * perSecond) / 1_000 + 1e-6);
      }
    }),
  );
});

test('the next token comes when it is said to, and not a millisecond before', () => {
  fc.assert(
    fc.property(shape, ({ max, perSecond, gapsMs }) => {
      const bucket = new TokenBucket(max, perSecond / 1_000, 0);
      let nowMs = 0;
      for (const gap of gapsMs) {
        nowMs += gap;
        bucket.consume(max, nowMs, true);
        const waitMs = bucket.nextTokenInMs(nowMs);
        expect(bucket.available(nowMs + waitMs)).toBeGreaterThanOrEqual(1);
        if (waitMs > 0) expect(bucket.available(nowMs + waitMs - 1)).toBeLessThan(1);
      }
    }),
  );
});

test('a token each 600 ms: a steady caller at that rate is never refused', () => {
  const bucket = new TokenBucket(100, 100 / 60_000, 0);
  expect(bucket.consume(100, 0)).toBe(100);
  for (let i = 1; i <= 1_000; i++) expect(bucket.consume(1, i * 600)).toBe(1);
  expect(bucket.consume(1, 600_000)).toBe(0);
});

test('a clock that stands still or steps back grants nothing', () => {
  const bucket = new TokenBucket(1, 0.001, 1_000);
  expect(bucket.consume(1, 1_000)).toBe(1);
  expect(bucket.consume(1, 500)).toBe(0);
  expect(bucket.consume(1, 1_000)).toBe(0);
});
