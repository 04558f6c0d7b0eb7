// A call over HTTP: the exchange, driven by undici's callbacks on one side and the caller's handler on the other. It decides nothing: events go into the
// exchange, steps come out and are carried out here.
import { MeshError } from '../../errors.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { RequestContext } from '../../telemetry/request-context.js';
import type { Dispatcher } from '../../transport/undici.js';
import type { EndpointPool } from '../../transport/endpoint-pool.js';
import { callPlan, type CallHints } from '../call-plan.js';
import type { AttemptFailure } from '../exchange/attempt-failure.js';
import type { Step } from '../exchange/exchange.js';
import { grpcStatusIn } from '../exchange/grpc-status.js';
import { replyError, type LocalReply } from '../exchange/local-reply.js';
import { OutboundHead } from '../exchange/outbound-head.js';
import { newRecord, recordRoute } from '../new-record.js';
import type { Origin } from '../origin-table.js';
import type { ForwardedCall, PreparedCall } from '../prepare-call.js';
import type { OutboundRuntime } from '../runtime.js';
import { TimedExchange } from '../timed-exchange.js';
import { attemptHeaders, pathOf, requestHeadBytes, responseHeadBytes } from './attempt-head.js';
import { amendRoutedResponse, answeredReply, type ResponseHeaders } from './header-operations.js';
import { localResponse } from './local-response.js';
import { NO_HANDLER, deliverError, deliverResponse } from './reply-delivery.js';
import { ReplayableBody, knownSizeBytes, type RequestBody } from './request-body.js';
import { UndiciAttempt, type AttemptOwner } from './undici-attempt.js';

export interface HttpCallHints extends CallHints {
  /** `throw`: answers of the mesh that are errors reach the handler as MeshError. Default `response`. */
  readonly errors?: 'throw' | 'response' | undefined;
  /** Told once, before the handler learns the end of the call or of its head. */
  readonly onOutcome?: ((call: HttpCall) => void) | undefined;
}

/** Envoy's stream idle timeout, for calls without a deadline of their own. */
const IDLE_TIMEOUT_MS = 300_000;
/** Takes the place of a head that is no longer needed. */
const NO_HEAD = new OutboundHead('', '', '', '', 0, []);

export class HttpCall extends TimedExchange implements AttemptOwner, Dispatcher.DispatchController {
  started = false;
  rawHeaders: ResponseHeaders | null = null;
  rawTrailers: ResponseHeaders | null = null;
  aborted = false;
  paused = false;
  reason: Error | null = null;
  head: OutboundHead;
  sharedItems = -1;
  readonly record: CallRecord;
  readonly #origin: Origin;
  readonly #hints: HttpCallHints;
  #handler: Dispatcher.DispatchHandler;
  #body: RequestBody;
  #replay: ReplayableBody | undefined = undefined;
  #context: RequestContext | undefined = undefined;
  #call: ForwardedCall | undefined = undefined;
  #attempt: UndiciAttempt | undefined = undefined;
  #finished = false;

  constructor(
    runtime: OutboundRuntime,
    origin: Origin,
    head: OutboundHead,
    body: RequestBody,
    handler: Dispatcher.DispatchHandler,
    hints: HttpCallHints,
    startMs: number,
  ) {
    super(runtime);
    this.tracksConnections = true;
    this.#origin = origin;
    this.head = head;
    this.#body = body;
    this.#handler = handler;
    this.#hints = hints;
    this.record = newRecord(hints.grpc === true ? 'grpc' : 'http', head, startMs);
  }

  /** Runs the call; everything else comes by events. */
  start(prepared: PreparedCall, context: RequestContext | undefined, nowMs: number): void {
    this.started = true;
    this.runtime.callStarted();
    this.#context = context;
    recordRoute(this.record, prepared);
    // The caller gets its controller now, not when a socket takes the request: it can leave a queue or a delay, too.
    this.#handler.onRequestStart?.(this, {});
    if (this.#finished) return;
    const signal = context?.signal;
    if (signal?.aborted === true) return this.abort(reasonOf(signal));
    signal?.addEventListener('abort', this);
    if (prepared.kind === 'answer')
      return this.apply(this.refuse(answeredReply(prepared, this.head, this.runtime.clock)), nowMs);
    this.#call = prepared;
    if (knownSizeBytes(this.#body) < 0) this.#prepareBody(prepared);
    if (prepared.cluster.snapshot.discovery === 'strict-dns') this.runtime.dns.refresh(prepared.cluster, nowMs);
    const { retryNonIdempotent } = this.runtime;
    const plan = callPlan(prepared, this.head, this.#hints, context, retryNonIdempotent, nowMs);
    this.apply(this.begin(plan, nowMs), nowMs);
  }

  // The caller's side: one controller for the whole call, whatever attempts come and go.

  abort(reason: Error): void {
    if (this.#finished) return;
    this.aborted = true;
    this.reason = reason;
    this.apply(this.cancel(), this.runtime.clock.nowMs());
  }

  pause(): void {
    this.paused = true;
    this.#attempt?.controller?.pause();
  }

  resume(): void {
    this.paused = false;
    this.#attempt?.controller?.resume();
  }

  /** The inbound request that this call is made for has ended. */
  handleEvent(event: Event): void {
    this.abort(reasonOf(event.target as AbortSignal));
  }

  // The attempt's side.

  onAttemptStarted(): void {
    this.onConnected();
  }

  onAttemptInfo(attempt: UndiciAttempt, status: number, statusText: string | undefined): void {
    if (this.phase === 'sending')
      this.#handler.onResponseStart?.(this, status, attempt.responseHeaders ?? {}, statusText);
  }

  onAttemptHeaders(attempt: UndiciAttempt, status: number, statusText: string | undefined): void {
    const nowMs = this.runtime.clock.nowMs();
    const headers = attempt.responseHeaders ?? {};
    const grpcStatus = this.#hints.grpc === true ? grpcStatusIn(headers) : -1;
    const { record } = this;
    if (headers['x-envoy-peer-metadata'] !== undefined) record.peerMetadata = takePeerMetadata(headers);
    const step = this.onHeaders(status, grpcStatus, attempt, nowMs);
    if (step !== 'deliver') return this.apply(step, nowMs);
    // The wheel still holds the try's deadline: when that comes, `onDue` puts the call's own in its place.
    this.onActivity(nowMs);
    record.status = status;
    record.grpcStatus = grpcStatus;
    record.details = 'via_upstream';
    record.responseBytes = responseHeadBytes(attempt.controller?.rawHeaders, statusText);
    headers['x-envoy-upstream-service-time'] = String(Math.round(this.serviceTimeMs));
    this.#amendResponse(headers);
    this.rawHeaders = headers;
    this.#hints.onOutcome?.(this);
    this.#handler.onResponseStart?.(this, status, headers, statusText);
  }

  onAttemptData(chunk: Buffer): void {
    this.record.responseBytes += chunk.length;
    if (this.idleDeadlineMs !== Infinity) this.onActivity(this.runtime.clock.nowMs());
    this.#handler.onResponseData?.(this, chunk);
  }

  onAttemptEnd(trailers: ResponseHeaders): void {
    const nowMs = this.runtime.clock.nowMs();
    const grpcStatus = this.#hints.grpc === true ? grpcStatusIn(trailers) : -1;
    if (grpcStatus >= 0) this.record.grpcStatus = grpcStatus;
    this.onEnd(grpcStatus, nowMs);
    this.rawTrailers = trailers;
    const handler = this.#handler;
    this.#finish(nowMs);
    handler.onResponseEnd?.(this, trailers);
    this.rawHeaders = this.rawTrailers = null;
  }

  onAttemptFailure(attempt: UndiciAttempt, failure: AttemptFailure | 'refused-by-client', error: Error): void {
    const nowMs = this.runtime.clock.nowMs();
    this.#endSpan(attempt, error);
    attempt.detach();
    this.#attempt = undefined;
    if (failure === 'refused-by-client' || this.#replay?.error !== undefined) {
      // The request's own body broke, or undici refused it, which leaves its pool unusable: both are no fault of the upstream.
      if (!attempt.started) this.endpoint?.connections?.drain();
      return this.abort(error);
    }
    this.apply(this.onFailure(failure, nowMs, error.message), nowMs);
  }

  onAttemptSent(sizeBytes: number): void {
    this.record.requestBytes += sizeBytes;
    if (this.idleDeadlineMs !== Infinity) this.onActivity(this.runtime.clock.nowMs());
  }

  // Steps.

  protected apply(step: Step, nowMs: number): void {
    switch (step) {
      case 'send':
        this.#dropAttempt('a newer attempt took over', true);
        this.arm(nowMs);
        return this.#send(nowMs);
      case 'wait':
        this.#dropAttempt('the attempt is tried again', true);
        this.arm(nowMs);
        return this.awaitFilter();
      case 'reply':
        this.#dropAttempt('the call was answered', false);
        return this.#answer(nowMs);
      case 'fail':
        return this.#fail(nowMs);
      case 'deliver':
      case 'none':
        return;
    }
  }

  #send(nowMs: number): void {
    const { endpoint } = this;
    const call = this.#call;
    if (endpoint === undefined || call === undefined) return;
    if (this.runtime.closed) return this.abort(new MeshError('CLOSED', 'the mesh is closed'));
    const cluster = call.cluster.snapshot;
    const external = this.#origin.scheme === 'https' ? this.#origin.host : undefined;
    const pool = this.runtime.pools.poolFor(cluster, endpoint, external, nowMs);
    const { record } = this;
    record.attempts = this.attempts;
    record.upstreamAddress = endpoint.address;
    record.destinationWorkload = endpoint.endpoint.workload ?? '';
    const span = this.runtime.telemetry.startAttemptSpan(record, this.#context, this.attempts);
    const { inMesh, serverName } = pool.shape;
    const headers = attemptHeaders(this.runtime, this.head, call, endpoint, this.#context, span, inMesh, this, nowMs);
    const { method } = this.head;
    const path = pathOf(call, this.head);
    record.requestBytes = requestHeadBytes(method, path, headers);
    const body = this.#replay === undefined ? this.#body : (this.#replay.read() as unknown as RequestBody);
    // undici's timers only where the deadline would not come first: each costs a timer object per request.
    const idleMs = call.action.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    const idleTimerMs = this.deadlineMs - nowMs <= idleMs ? 0 : idleMs;
    const reuses = endpoint.openConnections >= endpoint.activeRequests;
    const attempt = new UndiciAttempt(this, path, method, headers, body, serverName, idleTimerMs, idleTimerMs, reuses);
    this.#attempt = attempt;
    if (span === undefined) return pool.dispatch(attempt, attempt);
    attempt.span = span;
    if (span.send === undefined) pool.dispatch(attempt, attempt);
    else span.send(dispatchTo, pool, attempt);
  }

  /** The mesh's own answer: as a response, or as an error where the caller asked for that. */
  #answer(nowMs: number): void {
    const reply = this.reply as LocalReply;
    const handler = this.#handler;
    const { record } = this;
    const response = localResponse(reply, this.#hints.grpc === true, record.method);
    record.status = response.status;
    record.details = reply.details;
    if (this.#hints.grpc === true) record.grpcStatus = Number(response.headers['grpc-status']);
    this.#amendResponse(response.headers);
    this.rawHeaders = response.headers;
    this.#hints.onOutcome?.(this);
    this.#finish(nowMs);
    if (this.#hints.errors === 'throw' && reply.code !== undefined)
      deliverError(handler, this, replyError(reply, record.cluster));
    else deliverResponse(handler, this, response);
  }

  #fail(nowMs: number): void {
    const reply = this.reply as LocalReply;
    const error = this.reason ?? replyError(reply, this.record.cluster);
    this.#dropAttempt(error, false);
    this.record.details = reply.details;
    const handler = this.#handler;
    this.#hints.onOutcome?.(this);
    this.#finish(nowMs);
    deliverError(handler, this, error);
  }

  #dropAttempt(why: string | Error, mayDrain: boolean): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#attempt = undefined;
    const reason = typeof why === 'string' ? new MeshError('CANCELLED', why) : why;
    this.#endSpan(attempt, reason);
    attempt.drop(reason, mayDrain);
  }

  #endSpan(attempt: UndiciAttempt, error: Error | undefined): void {
    if (attempt.span === undefined) return;
    attempt.span.end({
      status: this.record.status,
      grpcStatus: this.record.grpcStatus,
      flags: this.flags,
      upstreamAddress: this.record.upstreamAddress,
      error: error?.message,
    });
    attempt.span = undefined;
  }

  /** Once per call, whatever its end: reports it and cuts every link, so that nothing keeps the request's objects alive. */
  #finish(nowMs: number): void {
    if (this.#finished) return;
    this.#finished = true;
    this.disarm(nowMs);
    this.#context?.signal?.removeEventListener('abort', this);
    const { record } = this;
    record.endMs = nowMs;
    record.flags = this.flags;
    record.peerPrincipal = (this.endpoint?.connections as EndpointPool | undefined)?.peerPrincipal ?? '';
    record.mutualTls = record.peerPrincipal !== '';
    const attempt = this.#attempt;
    if (attempt !== undefined) {
      this.#endSpan(attempt, undefined);
      attempt.detach();
    }
    this.#replay?.dispose();
    this.#attempt = this.#replay = this.#context = this.#call = undefined;
    this.#handler = NO_HANDLER;
    this.#body = null;
    this.head = NO_HEAD;
    this.endpoint = this.plan = undefined;
    this.runtime.callEnded();
    this.runtime.telemetry.finish(record);
  }

  /** A streamed body can be sent again only from a copy, kept where a retry may come. */
  #prepareBody(call: ForwardedCall): void {
    const onUnreplayable = () => {
      this.bodyReplayable = false;
    };
    if (call.action.retry !== undefined)
      this.#replay = ReplayableBody.of(this.#body, this.runtime.replayLimitBytes, onUnreplayable);
    if (this.#replay === undefined) onUnreplayable();
  }

  #amendResponse(headers: ResponseHeaders): void {
    const added = this.plan?.filters?.responseHeaders;
    if (added !== undefined) for (const [name, value] of added) headers[name] = value;
    if (this.#call === undefined) return;
    amendRoutedResponse(this.#call, headers, this.head, this.record, this.runtime.clock);
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new MeshError('CANCELLED', 'the inbound request ended');
}

function dispatchTo(pool: EndpointPool, attempt: UndiciAttempt): void {
  pool.dispatch(attempt, attempt);
}

/** What the upstream says of itself is for the mesh alone. */
function takePeerMetadata(headers: ResponseHeaders): string {
  const metadata = headers['x-envoy-peer-metadata'];
  delete headers['x-envoy-peer-metadata'];
  delete headers['x-envoy-peer-metadata-id'];
  return typeof metadata === 'string' ? metadata : '';
}
