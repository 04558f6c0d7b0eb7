// Virtual time of a test mesh. It stands still while code runs, and moves to the next timer when every call in flight only waits for one.
import { VirtualClock } from '../virtual-clock.js';
import type { Timer } from '../../clock.js';

/** Turns of the event loop without I/O in which promise chains (undici's fetch, Node's HTTP parser) come to rest. */
const TURNS = 4;

export class TestClock extends VirtualClock {
  /** Handlers of upstreams that run. */
  #busy = 0;
  #pumping = false;
  readonly #moves: boolean;
  readonly #isWaiting: () => boolean;

  /** `moves`: time moves by itself as described above, while `isWaiting` says that something in flight waits. */
  constructor(moves: boolean, isWaiting: () => boolean, wallStartMs?: number) {
    super(wallStartMs);
    this.#moves = moves;
    this.#isWaiting = isWaiting;
  }

  override after(delayMs: number, callback: () => void): Timer {
    this.wake();
    return super.after(delayMs, callback);
  }

  readonly busy = (change: 1 | -1): void => {
    this.#busy += change;
    this.wake();
  };

  /** Looks again whether time may move. */
  wake(): void {
    if (!this.#moves || this.#pumping) return;
    this.#pumping = true;
    void this.#pump();
  }

  /** Moves time on like `advance`, timer by timer, and lets what waited for each run to its next rest. */
  async advanceAndSettle(byMs: number): Promise<void> {
    const endMs = this.nowMs() + byMs;
    await settle();
    for (let next = this.nextDueMs; next !== undefined && next <= endMs; next = this.nextDueMs) {
      this.advance(Math.max(0, next - this.nowMs()));
      await settle();
    }
    this.advance(Math.max(0, endMs - this.nowMs()));
    await settle();
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        await settle();
        if (!this.#isWaiting()) return;
        // A handler may wait for real I/O: its end wakes the pump.
        if (this.#busy > 0) return;
        const next = this.nextDueMs;
        if (next === undefined) return;
        this.advance(Math.max(0, next - this.nowMs()));
      }
    } finally {
      this.#pumping = false;
    }
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
