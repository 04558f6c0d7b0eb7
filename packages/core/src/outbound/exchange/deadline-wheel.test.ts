// The wheel fires every deadline once, never early, at most two slots late, and stops when it is empty.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { DeadlineWheel, type WheelNode } from './deadline-wheel.js';

const node = (onDue: (nowMs: number) => void): WheelNode => ({
  dueMs: Infinity,
  previousNode: undefined,
  nextNode: undefined,
  slot: -1,
  onDue,
});

it('keeps every deadline that is not cleared, short or far beyond its span', () => {
  const delays = fc.array(fc.record({ delayMs: fc.integer({ min: 0, max: 60_000 }), cleared: fc.boolean() }), {
    maxLength: 50,
  });
  fc.assert(
    fc.property(delays, fc.integer({ min: 1, max: 30_000 }), (given, strideMs) => {
      const clock = new VirtualClock();
      clock.advance(12_345);
      const wheel = new DeadlineWheel(clock);
      const fired: number[] = [];
      given.forEach(({ delayMs, cleared }, index) => {
        const dueMs = clock.nowMs() + delayMs;
        const each = node((nowMs) => {
          expect(nowMs).toBeGreaterThanOrEqual(dueMs);
          expect(nowMs).toBeLessThanOrEqual(dueMs + 40);
          fired.push(index);
        });
        wheel.set(each, dueMs, clock.nowMs());
        if (cleared) wheel.set(each, Infinity, clock.nowMs());
      });
      for (let passedMs = 0; passedMs < 61_000; passedMs += strideMs) clock.advance(strideMs);
      const wanted = given.flatMap(({ cleared }, index) => (cleared ? [] : [index]));
      expect(fired.sort((a, b) => a - b)).toEqual(wanted);
      expect([wheel.size, clock.pendingTimers]).toEqual([0, 0]);
    }),
    { numRuns: 30 },
  );
});

it('fires late but completely after the event loop stood still for longer than its span', () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const callbacks: (() => void)[] = [];
  let nowMs = 0;
  const wheel = new DeadlineWheel({
    nowMs: () => nowMs,
    wallMs: () => clock.wallMs(),
    after: (_delayMs, callback) => {
      callbacks.push(callback);
      return { cancel: () => undefined };
    },
  });
  wheel.set(
    node(() => fired.push('soon')),
    100,
    0,
  );
  wheel.set(
    node(() => fired.push('later')),
    9_000,
    0,
  );
  nowMs = 30_000;
  callbacks.shift()?.();
  expect(fired.sort()).toEqual(['later', 'soon']);
});
