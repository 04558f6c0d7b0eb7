// Named random draws: every decision that rolls a die says which one, so that a test can fix one and leave the rest.

export type DrawName =
  | 'weighted-cluster'
  | 'fault-delay'
  | 'fault-abort'
  | 'endpoint-a'
  | 'endpoint-b'
  | 'locality'
  | 'priority'
  | 'retry-jitter'
  | 'reconnect-jitter'
  | 'rotation-jitter'
  | 'runtime-fraction'
  | 'mirror'
  | 'request-id'
  | 'trace-sampling'
  | 'outlier-enforcing'
  | 'ejection-jitter'
  | 'filter-enabled'
  | 'hash-fallback';

/** A source of randomness. Returns a number in [0, 1). */
export type Draws = (name: DrawName) => number;

/** The process's randomness: xorshift32 seeded once; fast, not for secrets. */
export function seededDraws(seed: number): Draws {
  // Kept as a signed 32-bit integer, which V8 holds without an allocation.
  let state = seed | 0 || 0x9e3779b9 | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
