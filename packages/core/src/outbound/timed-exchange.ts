// An exchange that keeps its own time: its deadlines lie in the wheel of all calls, its waits have a timer, and filters that take I/O wake it.
import type { Timer } from '../clock.js';
import { MeshError } from '../errors.js';
import type { WheelNode } from './exchange/deadline-wheel.js';
import { Exchange, type Step } from './exchange/exchange.js';
import type { OutboundRuntime } from './runtime.js';

export abstract class TimedExchange extends Exchange implements WheelNode {
  dueMs = Infinity;
  previousNode: WheelNode | undefined = undefined;
  nextNode: WheelNode | undefined = undefined;
  slot = -1;
  protected readonly runtime: OutboundRuntime;
  #timer: Timer | undefined = undefined;

  constructor(runtime: OutboundRuntime) {
    super(runtime.scope);
    this.runtime = runtime;
  }

  /** Carries a step out. */
  protected abstract apply(step: Step, nowMs: number): void;

  abstract abort(reason: Error): void;

  onDue(nowMs: number): void {
    const step = this.onTimer(nowMs);
    if (step === 'none') this.arm(nowMs);
    else this.apply(step, nowMs);
  }

  onCapacityFreed(): void {
    const nowMs = this.runtime.clock.nowMs();
    this.apply(this.onCapacity(nowMs), nowMs);
  }

  /** Sets the timers that the present phase needs. */
  protected arm(nowMs: number): void {
    this.runtime.wheel.set(this, Math.min(this.deadlineMs, this.tryDeadlineMs, this.idleDeadlineMs), nowMs);
    if (this.#timer !== undefined) this.#stopWaiting();
    if (this.wakeMs === Infinity) return;
    // Waits are short and wanted to the millisecond, unlike deadlines.
    this.#timer = this.runtime.clock.after(Math.max(0, Math.ceil(this.wakeMs - nowMs)), () => {
      this.#timer = undefined;
      this.onDue(this.runtime.clock.nowMs());
    });
  }

  /** Ends all timers. */
  protected disarm(nowMs: number): void {
    if (this.#timer !== undefined) this.#stopWaiting();
    this.runtime.wheel.set(this, Infinity, nowMs);
  }

  protected awaitFilter(): void {
    const pending = this.pendingFilter;
    if (pending === undefined) return;
    const settle = (result: Parameters<Exchange['onFilterResult']>[0]) => {
      const nowMs = this.runtime.clock.nowMs();
      this.apply(this.onFilterResult(result, nowMs), nowMs);
    };
    // A filter rejects by a fault of its own only: never taken for "go on".
    pending.then(settle, (error: unknown) =>
      this.abort(new MeshError('INTERNAL', 'a filter failed', { cause: error })),
    );
  }

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
