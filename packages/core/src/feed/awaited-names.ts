// Since when each awaited name is awaited, and when its wait ends (Envoy: initial_fetch_timeout, 15 s): start-up and updates never
// hang on a resource that does not come.
import type { Clock } from '../clock.js';

export class AwaitedNames {
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #sinceMs = new Map<string, number>();

  constructor(clock: Clock, waitMs: number) {
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  /** Starts the wait of a name that does not wait yet. */
  begin(key: string): void {
    if (!this.#sinceMs.has(key)) this.#sinceMs.set(key, this.#clock.nowMs());
  }

  /** Ends the waits of all names but these; a name that is awaited again later waits anew. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#sinceMs.keys()) if (!keys.has(key)) this.#sinceMs.delete(key);
  }

  waitedMs(key: string): number {
    return this.#clock.nowMs() - (this.#sinceMs.get(key) ?? this.#clock.nowMs());
  }

  /** True when the name was awaited for the whole time. */
  over(key: string): boolean {
    const sinceMs = this.#sinceMs.get(key);
    return sinceMs !== undefined && this.#clock.nowMs() - sinceMs >= this.#waitMs;
  }

  /** Time until the next wait ends; undefined when none runs. */
  nextEndInMs(): number | undefined {
    const nowMs = this.#clock.nowMs();
    let next: number | undefined;
    for (const sinceMs of this.#sinceMs.values()) {
      const leftMs = sinceMs + this.#waitMs - nowMs;
      if (leftMs > 0 && (next === undefined || leftMs < next)) next = leftMs;
    }
    return next;
  }
}
