// The messages of a call on their way in: handed over one per read, and the status after the last of them.
import { AsyncLocalStorage } from 'node:async_hooks';
import { status as Status } from '@grpc/grpc-js';
import type { InterceptingListener, Metadata, StatusObject } from '@grpc/grpc-js';

export class Inbox {
  readonly #listener: InterceptingListener;
  readonly #setFlowing: (flowing: boolean) => void;
  readonly #messages: Buffer[] = [];
  /** The client's own async context: an answer may arrive in that of another call (a shared timer, a queue). */
  readonly #inContext = AsyncLocalStorage.snapshot();
  #reads = 0;
  #status: StatusObject | undefined;
  #done = false;

  /** `setFlowing(false)` asks the transport to stop reading. */
  constructor(listener: InterceptingListener, setFlowing: (flowing: boolean) => void) {
    this.#listener = listener;
    this.#setFlowing = setFlowing;
  }

  /** The head of the answer. */
  begin(metadata: Metadata): void {
    this.#inContext(() => this.#listener.onReceiveMetadata(metadata));
  }

  push(message: Buffer): void {
    this.#messages.push(message);
    this.#flush();
    if (this.#messages.length > 0) this.#setFlowing(false);
  }

  read(): void {
    this.#reads += 1;
    this.#flush();
    if (this.#messages.length === 0) this.#setFlowing(true);
  }

  /** An error does not wait for messages that nobody has read (as grpc-js). */
  end(status: StatusObject): void {
    if (this.#status !== undefined) return;
    this.#status = status;
    if (status.code !== Status.OK) this.#messages.length = 0;
    this.#flush();
  }

  #flush(): void {
    while (this.#reads > 0 && this.#messages.length > 0 && !this.#done) {
      this.#reads -= 1;
      const message = this.#messages.shift();
      this.#inContext(() => this.#listener.onReceiveMessage(message));
    }
    if (this.#status === undefined || this.#messages.length > 0 || this.#done) return;
    this.#done = true;
    const last = this.#status;
    this.#inContext(() => this.#listener.onReceiveStatus(last));
  }
}
