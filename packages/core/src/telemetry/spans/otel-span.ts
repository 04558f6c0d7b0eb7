// One span of OpenTelemetry behind Heddle's SpanHandle.
import type { Context, Span } from '@opentelemetry/api';
import type { CallRecord } from '../call-record.js';
import type { SpanHandle, SpanOutcome } from '../call-telemetry.js';
import type { TraceParent } from '../request-context.js';
import type { OtelApi } from './otel-api.js';
import { isFailure, outcomeTags } from './span-tags.js';

/** The key under which every SDK looks whether tracing is suppressed (@opentelemetry/core: suppressTracing). */
const SUPPRESS_KEY = 'OpenTelemetry SDK Context Key SUPPRESS_TRACING';

export class OtelSpan implements SpanHandle {
  readonly trace: TraceParent;
  readonly traceState: string | undefined;
  readonly #api: OtelApi;
  readonly #call: CallRecord;
  readonly #context: Context;
  #span: Span | undefined;
  /** False for a span that somebody else started and ends. */
  readonly #owned: boolean;

  /** `context` is the one in which the span is the active one. */
  constructor(api: OtelApi, span: Span, context: Context, call: CallRecord, owned: boolean) {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    this.trace = { traceId, spanId, sampled: (traceFlags & 1) === 1, random: (traceFlags & 2) === 2 };
    this.traceState = traceState?.serialize();
    this.#api = api;
    this.#call = call;
    this.#context = context;
    this.#span = span;
    this.#owned = owned;
  }

  send<Args extends unknown[], Result>(io: (...args: Args) => Result, ...args: Args): Result {
    const suppressed = this.#context.setValue(this.#api.createContextKey(SUPPRESS_KEY), true);
    return this.#api.context.with<Args, (...args: Args) => Result>(suppressed, io, undefined, ...args);
  }

  /** Runs the application with this span as the active one. */
  run<Result>(body: () => Result): Result {
    return this.#api.context.with<[], () => Result>(this.#context, body);
  }

  end(outcome: SpanOutcome): void {
    const span = this.#span;
    if (span === undefined) return;
    this.#span = undefined;
    if (span.isRecording()) {
      span.setAttributes(outcomeTags(this.#call, outcome));
      if (isFailure(outcome)) {
        const status = { code: this.#api.SpanStatusCode.ERROR };
        span.setStatus(outcome.error === undefined ? status : { ...status, message: outcome.error });
      }
    }
    if (this.#owned) span.end();
  }
}
