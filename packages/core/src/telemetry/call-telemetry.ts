// How outbound and inbound talk to telemetry. Everything is synchronous and cheap; nothing here may throw into a request.
import type { RequestHead } from '../request-head.js';
import type { CallRecord } from './call-record.js';
import type { RequestContext, TraceParent } from './request-context.js';

/** A started span: ours or OpenTelemetry's. */
export interface SpanHandle {
  readonly trace: TraceParent;
  /** `tracestate` as the tracer's sampler left it; undefined when there is none. */
  readonly traceState?: string | undefined;
  /**
   * Runs the I/O of the attempt so that client instrumentations (undici, http) neither trace it a second time nor add a second traceparent.
   * Absent where nothing has to be suppressed: call the function directly.
   */
  readonly send?: <Args extends unknown[], Result>(io: (...args: Args) => Result, ...args: Args) => Result;
  /** Ends the span once; later calls do nothing. */
  end(outcome: SpanOutcome): void;
}

export interface SpanOutcome {
  readonly status: number;
  readonly grpcStatus: number;
  readonly flags: string;
  readonly upstreamAddress: string;
  readonly error: string | undefined;
}

export interface OutboundTelemetry {
  /** The inbound request that this call is made for, if any (AsyncLocalStorage). */
  currentContext(): RequestContext | undefined;
  /**
   * A context for a call that is made for no inbound request, so that its attempts share one request id and one trace: take it where
   * `currentContext` is undefined, once per call.
   */
  rootContext?(): RequestContext;
  /** Starts the client span of one attempt; undefined when nothing records spans. `name` is `METHOD host`. */
  startAttemptSpan(call: CallRecord, context: RequestContext | undefined, attempt: number): SpanHandle | undefined;
  /**
   * Appends the propagation headers of a call to a flat name/value list: x-request-id (made when there is none), traceparent, tracestate, baggage,
   * B3 where the caller used it, forwarded headers. Names that `has` reports as already set by the application are left alone, except that
   * traceparent is always the attempt's own. Returns the request id.
   */
  writeHeaders(
    headers: string[],
    context: RequestContext | undefined,
    span: SpanHandle | undefined,
    applicationHeader: (name: string) => string | undefined,
  ): string;
  /** What this workload tells destinations in the mesh of itself; undefined: nothing. */
  readonly peerMetadata?: PeerMetadata | undefined;
  /** Once per call, at its end. */
  finish(call: CallRecord): void;
}

/** Where a signal is had when somebody asks for it: an AbortController is one, and costs too much to make for every request. */
export interface SignalSource {
  readonly signal: AbortSignal;
}

/** The two headers by which workloads tell each other who they are. */
export interface PeerMetadata {
  /** `x-envoy-peer-metadata-id`: the xDS node id. */
  readonly id: string;
  /** `x-envoy-peer-metadata`, base64. */
  readonly metadata: string;
}

export interface InboundTelemetry {
  /**
   * The context of an inbound request: trace, request id, baggage and deadline are read from its headers when they are first asked for. `latestMs` is a
   * deadline besides the caller's own; the earlier one holds.
   */
  contextFor(
    head: Pick<RequestHead, 'header'>,
    nowMs: number,
    signal: SignalSource | undefined,
    latestMs?: number,
  ): RequestContext;
  /** True while something reads a record's request id (access log, spans); making one for a request that brought none costs. Absent: it is read. */
  readsRequestId?(): boolean;
  /** What this workload answers to a peer that told who it is; undefined: nothing. */
  readonly peerMetadata?: PeerMetadata | undefined;
  /** Starts the server span (child of the context's trace); undefined when nothing records spans. */
  startServerSpan(call: CallRecord, context: RequestContext): SpanHandle | undefined;
  /** Runs the application with the context (and the span as its active one), so that outbound calls find it. */
  run<Result>(context: RequestContext, span: SpanHandle | undefined, body: () => Result): Result;
  finish(call: CallRecord): void;
}
