// Starts Heddle's spans through OpenTelemetry when the application registered a tracer provider, and nothing otherwise: one server span per
// inbound request (the one of an http instrumentation is adopted), one client span per attempt.
import type { Attributes, Context, Span, SpanContext, SpanKind } from '@opentelemetry/api';
import type { CallRecord } from '../call-record.js';
import type { SpanHandle } from '../call-telemetry.js';
import type { RequestContext, TraceParent } from '../request-context.js';
import { mergeBaggage } from './active-baggage.js';
import type { OtelApi, OtelLookup } from './otel-api.js';
import { OtelSpan } from './otel-span.js';
import { type SpanNode, nodeTags, requestTags } from './span-tags.js';

export class SpanSource {
  readonly #lookup: OtelLookup;
  readonly #tags: Attributes;
  readonly #version: string;
  /** The parent of a call's attempts: a retry starts in a timer, where the active context is not the call's. */
  readonly #parents = new WeakMap<CallRecord, Context>();

  constructor(lookup: OtelLookup, node: SpanNode, version: string) {
    this.#lookup = lookup;
    this.#tags = nodeTags(node);
    this.#version = version;
  }

  /** True when a tracer provider is registered, so that it starts and samples traces. */
  isRecording(): boolean {
    return this.#lookup() !== undefined;
  }

  startAttempt(call: CallRecord, context: RequestContext | undefined, attempt: number): SpanHandle | undefined {
    const api = this.#lookup();
    if (api === undefined) return undefined;
    const known = this.#parents.get(call);
    const parent = known ?? attemptParent(api, context);
    if (known === undefined) this.#parents.set(call, parent);
    const retryTags = known === undefined ? undefined : { retry_attempt: attempt };
    return this.#start(api, call, parent, api.SpanKind.CLIENT, retryTags);
  }

  startServer(call: CallRecord, context: RequestContext): SpanHandle | undefined {
    const api = this.#lookup();
    if (api === undefined) return undefined;
    const adopted = adoptable(api, context.trace);
    if (adopted === undefined)
      return this.#start(api, call, serverParent(api, context), api.SpanKind.SERVER, undefined);
    adopted.setAttributes({ ...this.#tags, ...requestTags(call) });
    return new OtelSpan(api, adopted, api.context.active(), call, false);
  }

  /** Runs the application with `span` as OpenTelemetry's active one. */
  run<Result>(span: SpanHandle | undefined, body: () => Result): Result {
    return span instanceof OtelSpan ? span.run(body) : body();
  }

  /** The baggage of a call: what the application put into OpenTelemetry's active baggage, and the inbound rest. */
  baggage(inbound: string | undefined): string | undefined {
    const active = this.#lookup()?.propagation.getActiveBaggage();
    return active === undefined ? inbound : mergeBaggage(active, inbound);
  }

  #start(api: OtelApi, call: CallRecord, parent: Context, kind: SpanKind, extra: Attributes | undefined): SpanHandle {
    const attributes = { ...this.#tags, ...requestTags(call), ...extra };
    const span = api.trace.getTracer('heddle', this.#version).startSpan(spanName(call), { kind, attributes }, parent);
    return new OtelSpan(api, span, api.trace.setSpan(parent, span), call, true);
  }
}

/** `GET reviews.default.svc.cluster.local`: a path in the name would make a name per request. */
function spanName(call: CallRecord): string {
  return call.method + ' ' + (call.destinationHost === '' ? call.authority : call.destinationHost);
}

/** The application's active span where it belongs to the call's request; else the request's trace. */
function attemptParent(api: OtelApi, context: RequestContext | undefined): Context {
  const active = api.context.active();
  const trace = context?.trace;
  const span = api.trace.getSpanContext(active);
  if (trace === undefined || span?.traceId === trace.traceId) return active;
  return api.trace.setSpanContext(active, spanContextOf(api, trace, context?.traceState, false));
}

/**
 * A context whose span is the caller's. The active span counts only if it is of the caller's trace: in a server that started listening inside a
 * span, that span would be active in every request.
 */
function serverParent(api: OtelApi, context: RequestContext): Context {
  const active = api.context.active();
  const span = api.trace.getSpan(active);
  const { trace } = context;
  if (span !== undefined && (span.spanContext().traceId === trace?.traceId || isUnsampledRoot(api, span, trace)))
    return active;
  if (trace === undefined) return api.trace.deleteSpan(active);
  return api.trace.setSpanContext(active, spanContextOf(api, trace, context.traceState, true));
}

/** The span that an http instrumentation started for this request and its sampler dropped: its decision holds. */
function isUnsampledRoot(api: OtelApi, span: Span, trace: TraceParent | undefined): boolean {
  return trace === undefined && !('kind' in span) && api.isSpanContextValid(span.spanContext());
}

/** The active SERVER span of an http instrumentation, if there is one for this request. */
function adoptable(api: OtelApi, trace: TraceParent | undefined): Span | undefined {
  const span = api.trace.getActiveSpan();
  if (span?.isRecording() !== true) return undefined;
  // Spans of every SDK carry their kind, though the API's interface does not name it.
  if ((span as Span & { readonly kind?: number }).kind !== api.SpanKind.SERVER) return undefined;
  return trace === undefined || span.spanContext().traceId === trace.traceId ? span : undefined;
}

function spanContextOf(api: OtelApi, trace: TraceParent, state: string | undefined, isRemote: boolean): SpanContext {
  const traceFlags = (trace.sampled ? 1 : 0) | (trace.random === true ? 2 : 0);
  const base = { traceId: trace.traceId, spanId: trace.spanId, traceFlags, isRemote };
  return state === undefined ? base : { ...base, traceState: api.createTraceState(state) };
}
