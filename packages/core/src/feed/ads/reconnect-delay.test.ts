import { expect, it } from 'vitest';
import { reconnectDelayMs } from './reconnect-delay.js';

it('comes back quickly once, then backs off to 30 s, spread over the whole time', () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => reconnectDelayMs(failures, 1));
  expect(ceilings).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(reconnectDelayMs(5, 0)).toBe(0);
  expect(reconnectDelayMs(5, 0.5)).toBe(8000);
});
