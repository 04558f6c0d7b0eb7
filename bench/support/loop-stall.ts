// The longest time that the event loop was kept from its turn. Two figures: by the wall clock, which on a shared machine holds other processes' time too,
// and by the CPU time of this thread, which is this process's own doing. perf_hooks' monitor misses a stall right after it starts; setImmediate does not.

export interface Stall {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export class LoopWatch {
  #wallMs = 0;
  #cpuMs = 0;
  #lastWallMs = performance.now();
  #lastCpuMs = threadCpuMs();
  #stopped = false;
  readonly #onTurn: (() => void) | undefined;

  /** Turns the loop without pause until `stop`; `onTurn` must be quick. */
  constructor(onTurn?: () => void) {
    this.#onTurn = onTurn;
    setImmediate(this.#turn);
  }

  /** The longest stall since the last call. */
  take(): Stall {
    const stall = { wallMs: this.#wallMs, cpuMs: this.#cpuMs };
    this.#wallMs = this.#cpuMs = 0;
    return stall;
  }

  stop(): Stall {
    this.#stopped = true;
    return this.take();
  }

  readonly #turn = (): void => {
    const wallMs = performance.now();
    const cpuMs = threadCpuMs();
    this.#wallMs = Math.max(this.#wallMs, wallMs - this.#lastWallMs);
    this.#cpuMs = Math.max(this.#cpuMs, cpuMs - this.#lastCpuMs);
    this.#onTurn?.();
    this.#lastWallMs = wallMs;
    this.#lastCpuMs = cpuMs;
    if (!this.#stopped) setImmediate(this.#turn);
  };
}

/** CPU of the main thread where Node tells it (24 and later), else of the process. */
function threadCpuMs(): number {
  const { user, system } =
    (process as { threadCpuUsage?: typeof process.cpuUsage }).threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1000;
}
