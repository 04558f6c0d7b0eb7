// Resources that were asked for by name and never came (gRFC A53, A57): state of the world has no word for "does not exist",
// so a name that is not delivered within the time is taken as missing.
import type { ResourceTypeUrl } from '@heddle/xds';
import type { Clock, Timer } from '../../clock.js';

export class MissingTimers {
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #onMissing: (typeUrl: ResourceTypeUrl, names: readonly string[]) => void;
  /** One timer for the names of a type that were asked for at the same time. */
  readonly #waiting = new Map<ResourceTypeUrl, Map<string, Timer>>();

  constructor(clock: Clock, waitMs: number, onMissing: (typeUrl: ResourceTypeUrl, names: readonly string[]) => void) {
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#onMissing = onMissing;
  }

  /** The names that wait now; those that wait already keep their time. */
  await(typeUrl: ResourceTypeUrl, names: Iterable<string>): void {
    const before = this.#waiting.get(typeUrl) ?? new Map<string, Timer>();
    const after = new Map<string, Timer>();
    const fresh: string[] = [];
    for (const name of names) {
      const timer = before.get(name);
      if (timer === undefined) fresh.push(name);
      else after.set(name, timer);
    }
    if (fresh.length > 0) {
      const timer = this.#clock.after(this.#waitMs, () => this.#expire(typeUrl, fresh));
      for (const name of fresh) after.set(name, timer);
    }
    this.#replace(typeUrl, before, after);
  }

  arrived(typeUrl: ResourceTypeUrl, name: string): void {
    const before = this.#waiting.get(typeUrl);
    if (before?.has(name) !== true) return;
    const after = new Map(before);
    after.delete(name);
    this.#replace(typeUrl, before, after);
  }

  stop(): void {
    for (const timers of this.#waiting.values()) for (const timer of timers.values()) timer.cancel();
    this.#waiting.clear();
  }

  #expire(typeUrl: ResourceTypeUrl, asked: readonly string[]): void {
    const waiting = this.#waiting.get(typeUrl);
    const missing = asked.filter((name) => waiting?.delete(name) === true);
    if (missing.length > 0) this.#onMissing(typeUrl, missing);
  }

  #replace(typeUrl: ResourceTypeUrl, before: ReadonlyMap<string, Timer>, after: Map<string, Timer>): void {
    const kept = new Set(after.values());
    for (const timer of before.values()) if (!kept.has(timer)) timer.cancel();
    this.#waiting.set(typeUrl, after);
  }
}
