// How long to wait before the next connection: exponential with full jitter, so that a thousand clients of a restarted feed
// don't come back at once.

export const FIRST_RETRY_CEILING_MS = 500;
export const BASE_RETRY_CEILING_MS = 1000;
export const MAX_RETRY_CEILING_MS = 30_000;

/**
 * Delay in ms before the attempt that follows `failures` failed ones since the last stream that delivered something (0: a working stream
 * ended, come back quickly). `draw` in [0, 1).
 */
export function reconnectDelayMs(failures: number, draw: number): number {
  if (failures <= 0) return draw * FIRST_RETRY_CEILING_MS;
  return draw * Math.min(MAX_RETRY_CEILING_MS, BASE_RETRY_CEILING_MS * 2 ** Math.min(failures - 1, 16));
}
