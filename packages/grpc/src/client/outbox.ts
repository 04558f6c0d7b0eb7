// The messages of a call on their way out: written to the present attempt, and kept for the next one while that is possible.
import { encodeFrame } from './message-frames.js';
import type { AttemptStream, WaitingFrame } from './attempt-stream.js';

/** Sent messages kept for a retry (Envoy: per_connection_buffer_limit, 1 MiB); beyond, the call can't be repeated. */
const REPLAY_LIMIT_BYTES = 1024 * 1024;

export class Outbox {
  /** False once a message that was sent is no longer kept. */
  replayable = true;
  sentBytes = 0;
  #frames: WaitingFrame[] = [];
  #keptBytes = 0;
  #ended = false;
  #keeps = true;
  #attempt: AttemptStream | undefined;

  push(message: Uint8Array, taken: (() => void) | undefined): void {
    const waiting: WaitingFrame = { frame: encodeFrame(message), taken };
    this.sentBytes += waiting.frame.length;
    if (this.#attempt === undefined || this.#keeps) this.#keep(waiting);
    this.#attempt?.write(waiting);
  }

  /** No further message comes. */
  end(): void {
    this.#ended = true;
    this.#attempt?.halfClose();
  }

  /** Sends everything there is to a fresh attempt, and what comes later. */
  attach(attempt: AttemptStream): void {
    this.#attempt = attempt;
    for (const waiting of this.#frames) attempt.write(waiting);
    if (this.#ended) attempt.halfClose();
    if (!this.#keeps) this.#frames = [];
  }

  detach(): void {
    this.#attempt = undefined;
  }

  /** The answer has begun: nothing will be sent again. */
  forget(): void {
    this.#keeps = false;
    this.#frames = [];
  }

  /** The call is over: whoever waits for a message to be taken is told, so that no writer hangs. */
  release(): void {
    const waiting = this.#frames;
    this.forget();
    for (const frame of waiting) {
      if (frame.taken !== undefined) process.nextTick(frame.taken);
      frame.taken = undefined;
    }
  }

  #keep(waiting: WaitingFrame): void {
    this.#frames.push(waiting);
    this.#keptBytes += waiting.frame.length;
    if (this.#keptBytes <= REPLAY_LIMIT_BYTES || !this.#keeps) return;
    this.#keeps = false;
    this.replayable = false;
    // Frames that no attempt has taken yet still have to go out once.
    if (this.#attempt !== undefined) this.#frames = [];
  }
}
