// A clock that moves only when a test says so. Timers fire in order of their time, then of their creation.
import type { Clock, Timer } from '../clock.js';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #wallStartMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /** Starts at monotonic 0 and the given wall time (default 2026-01-01T00:00:00Z). */
  constructor(wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = 0;
    this.#wallStartMs = wallStartMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry: Pending = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }

  /** Timers that wait; a test of clean shutdown expects 0. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** When the next timer is due; undefined where none waits. */
  get nextDueMs(): number | undefined {
    return this.#nextDue(Infinity)?.atMs;
  }

  /** Moves time on and fires what is due, including timers set by those that fire. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const next = this.#nextDue(endMs);
      if (next === undefined) break;
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = endMs;
  }

  #nextDue(endMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.atMs > endMs) continue;
      if (next === undefined || entry.atMs < next.atMs || (entry.atMs === next.atMs && entry.order < next.order))
        next = entry;
    }
    return next;
  }
}
