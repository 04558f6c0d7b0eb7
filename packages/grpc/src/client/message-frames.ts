// gRPC's length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message"). Compression is not offered, so none may come.

const HEADER_BYTES = 5;

export function encodeFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, HEADER_BYTES);
  return frame;
}

export type FrameFault = 'compressed' | 'too-large';

/** Cuts a stream of bytes into messages. */
export class FrameReader {
  readonly #maxMessageBytes: number;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** True while a message has begun and not ended. */
  get partial(): boolean {
    return this.#sizeBytes > 0;
  }

  /** The messages that are complete with `chunk`, or what is wrong with the stream. */
  push(chunk: Buffer): readonly Buffer[] | FrameFault {
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.length;
    const messages: Buffer[] = [];
    for (;;) {
      const next = this.#next();
      if (next === undefined) return messages;
      if (typeof next === 'string') return next;
      messages.push(next);
    }
  }

  #next(): Buffer | FrameFault | undefined {
    if (this.#sizeBytes < HEADER_BYTES) return undefined;
    const header = this.#joined(HEADER_BYTES);
    if (header.readUInt8(0) !== 0) return 'compressed';
    const length = header.readUInt32BE(1);
    if (length > this.#maxMessageBytes) return 'too-large';
    const whole = HEADER_BYTES + length;
    if (this.#sizeBytes < whole) return undefined;
    const bytes = this.#joined(whole);
    this.#chunks = bytes.length === whole ? [] : [bytes.subarray(whole)];
    this.#sizeBytes -= whole;
    return bytes.subarray(HEADER_BYTES, whole);
  }

  /** The buffered bytes as one buffer, at least as far as `count`. A long message is joined once, when its last chunk is there. */
  #joined(count: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) return first;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    return bytes;
  }
}
