// Bodies of requests: what can be sent more than once, and the buffer that makes a stream replayable up to a limit.
import { MeshError } from '../../errors.js';
import type { Dispatcher } from '../../transport/undici.js';

/** Every kind of body that undici takes. */
export type RequestBody = Exclude<Dispatcher.DispatchOptions['body'], undefined>;
type Chunk = string | Uint8Array;

/** Envoy's per_connection_buffer_limit_bytes default, which bounds what the router buffers for retries. */
export const REPLAY_LIMIT_BYTES = 1_048_576;

/** Bytes of a body that is held in memory; -1 for a stream. */
export function knownSizeBytes(body: unknown): number {
  if (body === null || body === undefined) return 0;
  if (typeof body === 'string') return Buffer.byteLength(body);
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return body.byteLength;
  return -1;
}

/** Throws MeshError INVALID_REQUEST for a body that undici would refuse. */
export function checkBody(body: unknown): void {
  if (body === null || body === undefined || typeof body === 'string') return;
  if (typeof body === 'object') {
    if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return;
    if (Symbol.asyncIterator in body || Symbol.iterator in body) return;
    if (typeof (body as { pipe?: unknown }).pipe === 'function') return;
    if (typeof (body as { arrayBuffer?: unknown }).arrayBuffer === 'function') return;
  }
  throw new MeshError('INVALID_REQUEST', 'the body must be a string, bytes, a stream, an iterable, a Blob or FormData');
}

/** A FormData of the built-in fetch as a stream with its content type; undici takes only its own FormData. */
export function encodeForm(body: unknown): { readonly body: RequestBody; readonly contentType: string } | undefined {
  if (typeof body !== 'object' || body === null || !(body instanceof globalThis.FormData)) return undefined;
  const encoded = new globalThis.Response(body);
  return { body: encoded.body as unknown as RequestBody, contentType: encoded.headers.get('content-type') ?? '' };
}

/**
 * A stream that remembers what passed through it, up to a limit, so that a retry begins with the same bytes and goes on where the first attempt stopped.
 * One reader at a time: the retry's reader takes over, the old one stops.
 */
export class ReplayableBody {
  /** Undefined where no retry could need it, or the body can't be read as a sequence of chunks. */
  static of(body: RequestBody, limitBytes: number, onUnreplayable: () => void): ReplayableBody | undefined {
    const source = body as unknown as AsyncIterable<Chunk>;
    if (typeof source !== 'object' || !(Symbol.asyncIterator in source || Symbol.iterator in source)) return undefined;
    return new ReplayableBody(source, limitBytes, onUnreplayable);
  }

  readonly #source: AsyncIterator<Chunk> | Iterator<Chunk>;
  readonly #limitBytes: number;
  readonly #onUnreplayable: () => void;
  #kept: Chunk[] | undefined = [];
  #keptBytes = 0;
  #ended = false;
  #reader = 0;
  /** What the source threw: the caller's fault, not the upstream's. */
  error: unknown = undefined;

  constructor(source: AsyncIterable<Chunk> | Iterable<Chunk>, limitBytes: number, onUnreplayable: () => void) {
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#limitBytes = limitBytes;
    this.#onUnreplayable = onUnreplayable;
  }

  /** The body for one attempt. */
  async *read(): AsyncGenerator<Chunk, void, undefined> {
    const reader = ++this.#reader;
    for (let index = 0; this.#kept !== undefined && index < this.#kept.length; index++) {
      yield this.#kept[index] as Chunk;
      if (reader !== this.#reader) return;
    }
    while (!this.#ended) {
      const chunk = await this.#pull();
      if (chunk === undefined) return;
      // Remembered before the check: an attempt that was replaced meanwhile leaves its chunk to the next one.
      this.#keep(chunk);
      if (reader !== this.#reader) return;
      yield chunk;
      if (reader !== this.#reader) return;
    }
  }

  /** Ends the source, used up or not. */
  dispose(): void {
    this.#reader += 1;
    this.#kept = undefined;
    if (this.#ended) return;
    this.#ended = true;
    void Promise.resolve(this.#source.return?.()).catch(() => undefined);
  }

  async #pull(): Promise<Chunk | undefined> {
    try {
      const result = await this.#source.next();
      if (result.done !== true) return result.value;
      this.#ended = true;
      return undefined;
    } catch (error) {
      this.error = error;
      throw error;
    }
  }

  #keep(chunk: Chunk): void {
    if (this.#kept === undefined) return;
    this.#keptBytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
    if (this.#keptBytes <= this.#limitBytes) {
      this.#kept.push(chunk);
      return;
    }
    this.#kept = undefined;
    this.#onUnreplayable();
  }
}
