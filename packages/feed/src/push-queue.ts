// Which clients are to be pushed to. A client that is queued already is not queued again: what it gets is decided when its turn
// comes, so any number of changes in between become one push.

export interface PushQueueOptions<Client> {
  /** Sends a client what it lacks. Must not throw. */
  readonly push: (client: Client) => void;
  readonly nowMs: () => number;
  /** Calls back when the event loop has had its turn. */
  readonly nextTurn: (callback: () => void) => void;
  /** Time spent on pushes before the event loop gets its turn. Default 4 ms. */
  readonly budgetMs?: number | undefined;
}

export class PushQueue<Client> {
  readonly #options: PushQueueOptions<Client>;
  /** Invariant: the clients that were added and not yet pushed to, in the order of their first addition. */
  readonly #waiting = new Set<Client>();
  /** Invariant: true exactly while a turn is asked for and not yet come. */
  #scheduled = false;

  constructor(options: PushQueueOptions<Client>) {
    this.#options = options;
  }

  add(client: Client): void {
    this.#waiting.add(client);
    this.#schedule();
  }

  /** The client is gone. */
  delete(client: Client): void {
    this.#waiting.delete(client);
  }

  get size(): number {
    return this.#waiting.size;
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    this.#options.nextTurn(() => {
      this.#scheduled = false;
      this.#runSlice();
      this.#schedule();
    });
  }

  #runSlice(): void {
    const untilMs = this.#options.nowMs() + (this.#options.budgetMs ?? 4);
    for (const client of this.#waiting) {
      this.#waiting.delete(client);
      this.#options.push(client);
      if (this.#options.nowMs() >= untilMs) return;
    }
  }
}
