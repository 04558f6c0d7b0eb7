// Time as an argument: the one interface through which core reads clocks and sets timers. Tests pass a virtual one (testing/virtual-clock.ts).

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, for durations and deadlines. */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970, for certificates, tokens and logs only. */
  wallMs(): number;
  /** Calls back once after `delayMs`; never holds the process open. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The process's clock. Its timers don't keep the process alive. */
export const systemClock: Clock = {
  // Bound once: the global `performance` is a getter, and a call of its method checks its receiver each time.
  nowMs: performance.now.bind(performance),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
