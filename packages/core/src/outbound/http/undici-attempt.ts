// One attempt as undici sees it: its options and its handler in one object. It maps undici's callbacks to the call's events, nothing else, and falls
// silent once the call has dropped it, so that a late answer of an old attempt can't touch a newer one.
import { MeshError } from '../../errors.js';
import type { Dispatcher } from '../../transport/undici.js';
import type { SpanHandle } from '../../telemetry/call-telemetry.js';
import type { AttemptFailure } from '../exchange/attempt-failure.js';
import type { ResponseHead } from '../exchange/retry-decision.js';
import type { ResponseHeaders } from './header-operations.js';
import type { RequestBody } from './request-body.js';

/** What an attempt tells its call. */
export interface AttemptOwner {
  onAttemptStarted(): void;
  onAttemptInfo(attempt: UndiciAttempt, status: number, statusText: string | undefined): void;
  /** `attempt.responseHeaders` are set. */
  onAttemptHeaders(attempt: UndiciAttempt, status: number, statusText: string | undefined): void;
  onAttemptData(chunk: Buffer): void;
  onAttemptEnd(trailers: ResponseHeaders): void;
  onAttemptFailure(attempt: UndiciAttempt, failure: AttemptFailure | 'refused-by-client', error: Error): void;
  onAttemptSent(sizeBytes: number): void;
}

/** Error bodies up to this size are read to the end, which saves the connection; larger ones end with it. */
const DRAIN_LIMIT_BYTES = 65_536;

/** Stands in for the headers of attempts that are over; nobody writes to it. */
const NONE: string[] = [];

export class UndiciAttempt implements Dispatcher.DispatchHandler, ResponseHead {
  // Options of undici's dispatch; a field that is missing here is undefined there.
  readonly path: string;
  readonly method: Dispatcher.HttpMethod;
  headers: string[];
  body: RequestBody;
  readonly servername: string;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  readonly upgrade = null;
  controller: Dispatcher.DispatchController | undefined = undefined;
  responseHeaders: ResponseHeaders | undefined = undefined;
  span: SpanHandle | undefined = undefined;
  started = false;
  /** Goes over a connection that is up already, as far as can be known. */
  readonly reuses: boolean;
  #owner: AttemptOwner | undefined;

  constructor(
    owner: AttemptOwner,
    path: string,
    method: string,
    headers: string[],
    body: RequestBody,
    servername: string,
    headersTimeoutMs: number,
    bodyTimeoutMs: number,
    reuses: boolean,
  ) {
    this.#owner = owner;
    this.path = path;
    this.method = method;
    this.headers = headers;
    this.body = body;
    this.servername = servername;
    this.headersTimeout = headersTimeoutMs;
    this.bodyTimeout = bodyTimeoutMs;
    this.reuses = reuses;
  }

  header(name: string): string | undefined {
    const value = this.responseHeaders?.[name];
    return Array.isArray(value) ? value.join(',') : value;
  }

  /**
   * The call no longer wants this attempt. Where `mayDrain`, a short response that has begun is read out, which saves the connection; else the stream is
   * reset.
   */
  drop(reason: Error, mayDrain: boolean): void {
    if (this.#owner === undefined) return;
    this.#owner = undefined;
    const length = this.responseHeaders?.['content-length'];
    const drains = mayDrain && typeof length === 'string' && Number(length) <= DRAIN_LIMIT_BYTES;
    if (drains) this.controller?.resume();
    else this.controller?.abort(reason);
  }

  /** The call is over: cuts the links between the two, which lets the collector free both early (measured: halves scavenge time). */
  detach(): void {
    this.#owner = undefined;
    this.controller = undefined;
    this.responseHeaders = undefined;
    this.span = undefined;
    this.headers = NONE;
    this.body = null;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A queued attempt has no controller to abort; it learns here that it was dropped.
    if (this.#owner === undefined) return controller.abort(new MeshError('CANCELLED', 'the attempt was dropped'));
    this.started = true;
    this.controller = controller;
    this.#owner.onAttemptStarted();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
    statusText?: string,
  ): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    this.responseHeaders = headers;
    if (status < 200) owner.onAttemptInfo(this, status, statusText);
    else owner.onAttemptHeaders(this, status, statusText);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#owner?.onAttemptData(chunk);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: ResponseHeaders): void {
    this.#owner?.onAttemptEnd(trailers);
  }

  /** `controller` is null when undici refused the request itself, undefined when no connection could be made. */
  onResponseError(controller: Dispatcher.DispatchController | null | undefined, error: Error): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    const failure = failureOf(error, this.started, controller === null);
    const stale = failure === 'connection-termination' && this.reuses && this.responseHeaders === undefined;
    owner.onAttemptFailure(this, stale ? 'stale-connection' : failure, error);
  }

  onBodySent(chunk: Buffer): void {
    this.#owner?.onAttemptSent(chunk.length);
  }
}

function failureOf(error: Error, started: boolean, refused: boolean): AttemptFailure | 'refused-by-client' {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (MeshError.is(error)) {
    if (error.code === 'IDENTITY_REJECTED') return 'identity-rejected';
    if (error.code === 'IDENTITY_UNAVAILABLE') return 'identity-unavailable';
  }
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED')
    return started ? 'connection-termination' : 'connect-failure';
  if (refused) return 'refused-by-client';
  if (!started)
    return code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT' ? 'connect-timeout' : 'connect-failure';
  // With TLS 1.3 a server refuses the client's certificate after the handshake: nothing of the request was read.
  if (code.startsWith('ERR_SSL')) return 'connect-failure';
  if (error.message.includes('REFUSED_STREAM')) return 'refused-stream';
  if (code === 'ERR_HTTP2_STREAM_ERROR') return 'remote-reset';
  // undici's parser names its own error, which has no code where the first line is no HTTP at all.
  if (error.name === 'HTTPParserError') return 'protocol-error';
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return 'protocol-error';
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'try-timeout';
  if (NETWORK_ERRORS.has(code) || code.startsWith('ERR_HTTP2')) return 'connection-termination';
  return 'refused-by-client';
}

/** What a broken connection looks like; anything else that ends a request was thrown by its own body. */
const NETWORK_ERRORS = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
