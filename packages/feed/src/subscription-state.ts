// What one client wants of one type, and how it answered what it was sent.

/** A NACK that is not yet followed by an ACK. */
export interface Nack {
  readonly message: string;
  readonly version: string;
  readonly atWallMs: number;
}

export type SyncState = 'SYNCED' | 'NOT_SENT' | 'STALE' | 'ERROR';

/** Responses that a client may leave unanswered before the oldest is forgotten. */
const MAX_UNANSWERED = 64;

export class SubscriptionState {
  readonly typeUrl: string;
  /** Every resource of the type is wanted (beside `names`). */
  wildcard = false;
  names: Set<string> = new Set();
  /** Nonce of the last response; a state-of-the-world request with another one is stale. */
  lastNonce = '';
  sentVersion = '';
  ackedVersion = '';
  nack: Nack | undefined;
  /** Versions of responses that were not answered yet, by nonce, oldest first. */
  readonly #unanswered = new Map<string, string>();

  constructor(typeUrl: string) {
    this.typeUrl = typeUrl;
  }

  wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }

  get allAnswered(): boolean {
    return this.#unanswered.size === 0;
  }

  get sync(): SyncState {
    if (this.nack !== undefined) return 'ERROR';
    if (this.sentVersion === '') return 'NOT_SENT';
    return this.allAnswered && this.ackedVersion === this.sentVersion ? 'SYNCED' : 'STALE';
  }

  sent(nonce: string, version: string): void {
    this.lastNonce = nonce;
    this.sentVersion = version;
    this.#unanswered.set(nonce, version);
    if (this.#unanswered.size <= MAX_UNANSWERED) return;
    for (const oldest of this.#unanswered.keys()) {
      this.#unanswered.delete(oldest);
      break;
    }
  }

  /** Notes an ACK or, with a message, a NACK. False for a nonce that was never sent or is answered already. */
  answered(nonce: string, refusal: string | undefined, atWallMs: number): boolean {
    const version = this.#unanswered.get(nonce);
    if (version === undefined) return false;
    this.#unanswered.delete(nonce);
    if (refusal === undefined) {
      this.ackedVersion = version;
      this.nack = undefined;
    } else {
      this.nack = { message: refusal, version, atWallMs };
    }
    return true;
  }
}
