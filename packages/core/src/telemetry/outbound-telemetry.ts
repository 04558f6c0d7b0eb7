// What outbound asks of telemetry: the inbound context, a span per attempt, propagation headers, and the count at the end.
import type { CallFinish } from './call-finish.js';
import type { CallRecord } from './call-record.js';
import type { OutboundTelemetry, PeerMetadata, SpanHandle } from './call-telemetry.js';
import type { ContextCarrier } from './context-carrier.js';
import { type ExtractOptions, rootContext } from './propagation/extract-context.js';
import { writePropagationHeaders } from './propagation/write-headers.js';
import type { RequestContext } from './request-context.js';
import type { SpanSource } from './spans/span-source.js';

export function createOutboundTelemetry(
  carrier: ContextCarrier,
  spans: SpanSource,
  propagation: ExtractOptions,
  calls: CallFinish,
  peerMetadata: PeerMetadata,
): OutboundTelemetry {
  return {
    currentContext: () => carrier.current(),
    rootContext: () => rootContext(propagation),
    startAttemptSpan(call: CallRecord, context: RequestContext | undefined, attempt: number): SpanHandle | undefined {
      return spans.isRecording() ? guarded(() => spans.startAttempt(call, context, attempt), undefined) : undefined;
    },
    writeHeaders(headers, context, span, applicationHeader): string {
      const inbound = context?.baggage;
      const baggage = spans.isRecording() ? guarded(() => spans.baggage(inbound), inbound) : inbound;
      return writePropagationHeaders(headers, context, span, applicationHeader, propagation, baggage);
    },
    finish: (call) => calls.finish(call),
    peerMetadata,
  };
}

/** A defect of the application's tracer costs a span, never the request. */
export function guarded<Result>(work: () => Result, otherwise: Result): Result {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
