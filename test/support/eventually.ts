// Waits for a condition that real parts bring about, with a deadline. The only place of the end-to-end tests where time passes unobserved.

export interface EventuallyOptions {
  /** Default 10,000 ms. */
  readonly withinMs?: number;
  /** Pause between two looks; default 20 ms. */
  readonly everyMs?: number;
}

/** Resolves to the first value of `look` that is neither undefined nor false; a look that throws counts as "not yet". Rejects with `what`. */
export async function eventually<Value>(
  what: string,
  look: () => Value | Promise<Value>,
  { withinMs = 10_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<Exclude<Value, undefined | false>> {
  const endMs = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < endMs) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value as Exclude<Value, undefined | false>;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`not within ${withinMs} ms: ${what} (last: ${last instanceof Error ? last.message : String(last)})`);
}
