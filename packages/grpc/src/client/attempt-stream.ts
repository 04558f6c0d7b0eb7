// One attempt of a gRPC call as an HTTP/2 stream. It maps the stream's events to the call's, nothing else, and falls silent once dropped.
import { constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { MeshError } from '@heddle/core/driver';
import type { AttemptFailure, SpanHandle } from '@heddle/core/driver';
import { FrameReader } from './message-frames.js';
import { readStatus } from './status-headers.js';
import type { CallStatus } from './status-headers.js';

/** What an attempt tells its call. */
export interface AttemptOwner {
  /** `trailersOnly`: the answer is its head; its status is `headers`'. */
  onAttemptHeaders(attempt: AttemptStream, headers: IncomingHttpHeaders, trailersOnly: boolean): void;
  onAttemptMessage(message: Buffer): void;
  onAttemptEnd(status: CallStatus): void;
  onAttemptFailure(attempt: AttemptStream, failure: AttemptFailure, cause: string): void;
}

export interface WaitingFrame {
  readonly frame: Buffer;
  /** Called once, when the frame was first taken by a stream. */
  taken: (() => void) | undefined;
}

export class AttemptStream {
  readonly #stream: ClientHttp2Stream;
  readonly #reader: FrameReader;
  readonly span: SpanHandle | undefined;
  #owner: AttemptOwner | undefined;
  #answered = false;
  #trailers: IncomingHttpHeaders | undefined;

  constructor(
    owner: AttemptOwner,
    session: ClientHttp2Session,
    headers: OutgoingHttpHeaders,
    maxMessageBytes: number,
    span: SpanHandle | undefined,
  ) {
    this.#owner = owner;
    this.span = span;
    this.#reader = new FrameReader(maxMessageBytes);
    this.#stream = session.request(headers, { endStream: false, waitForTrailers: false });
    this.#listen();
  }

  write(waiting: WaitingFrame): void {
    this.#stream.write(waiting.frame, () => {
      waiting.taken?.();
      waiting.taken = undefined;
    });
  }

  halfClose(): void {
    this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The call no longer wants this attempt. */
  drop(): void {
    if (this.#owner === undefined) return;
    this.#owner = undefined;
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.resume();
  }

  #listen(): void {
    const stream = this.#stream;
    stream.on('response', (headers, flags) => {
      this.#answered = true;
      const trailersOnly = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      if (trailersOnly) this.#trailers = headers;
      this.#owner?.onAttemptHeaders(this, headers, trailersOnly);
    });
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      this.#trailers = headers;
    });
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => this.#onEnd());
    stream.on('error', (error: Error) => this.#onBroken(error.message));
    stream.on('close', () => this.#onBroken(`stream closed with code ${this.#resetCode ?? 0}`));
  }

  #onData(chunk: Buffer): void {
    const messages = this.#reader.push(chunk);
    if (typeof messages === 'string') {
      const owner = this.#owner;
      this.drop();
      owner?.onAttemptEnd(FRAME_FAULTS[messages]);
      return;
    }
    for (const message of messages) this.#owner?.onAttemptMessage(message);
  }

  /** The server ended its side. Without trailers a reset follows, or the status is missing. */
  #onEnd(): void {
    if (!this.#answered || (this.#trailers === undefined && this.#resetCode)) return;
    const owner = this.#owner;
    this.#owner = undefined;
    if (!this.#stream.writableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    const status = readStatus(this.#trailers ?? {});
    owner?.onAttemptEnd(this.#reader.partial && status.code === 0 ? CUT_OFF : status);
  }

  #onBroken(cause: string): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.onAttemptFailure(this, this.#failure(), cause);
  }

  /** Undefined while the stream lives, whatever Node's types say. */
  get #resetCode(): number | undefined {
    return this.#stream.rstCode;
  }

  #failure(): AttemptFailure {
    switch (this.#resetCode) {
      case constants.NGHTTP2_REFUSED_STREAM:
        return 'refused-stream';
      case constants.NGHTTP2_PROTOCOL_ERROR:
      case constants.NGHTTP2_FRAME_SIZE_ERROR:
      case constants.NGHTTP2_COMPRESSION_ERROR:
        return 'protocol-error';
      case undefined:
      case constants.NGHTTP2_NO_ERROR:
        return 'connection-termination';
      default:
        return this.#stream.session?.destroyed === false ? 'remote-reset' : 'connection-termination';
    }
  }
}

const FRAME_FAULTS: Readonly<Record<'compressed' | 'too-large', CallStatus>> = {
  compressed: { code: 13, details: 'the server compressed a message although no compression was offered', headers: {} },
  'too-large': { code: 8, details: 'a message of the server is larger than the client takes', headers: {} },
};
const CUT_OFF: CallStatus = { code: 13, details: 'the answer ended within a message', headers: {} };

/** How a connection failed that was not made. */
export function connectFailure(error: unknown): AttemptFailure {
  if (MeshError.is(error)) {
    if (error.code === 'IDENTITY_REJECTED') return 'identity-rejected';
    if (error.code === 'IDENTITY_UNAVAILABLE') return 'identity-unavailable';
  }
  return (error as NodeJS.ErrnoException).code === 'ETIMEDOUT' ? 'connect-timeout' : 'connect-failure';
}
