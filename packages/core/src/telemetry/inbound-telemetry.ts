// What inbound asks of telemetry: the request's context, its server span, the application run inside both, and the count at the end.
import type { RequestHead } from '../request-head.js';
import type { CallFinish } from './call-finish.js';
import type { InboundTelemetry, PeerMetadata, SignalSource, SpanHandle } from './call-telemetry.js';
import type { ContextCarrier } from './context-carrier.js';
import { guarded } from './outbound-telemetry.js';
import type { ExtractOptions } from './propagation/extract-context.js';
import { InboundContext, ContextInSpan } from './propagation/inbound-context.js';
import type { RequestContext } from './request-context.js';
import type { SpanSource } from './spans/span-source.js';

export function createInboundTelemetry(
  carrier: ContextCarrier,
  spans: SpanSource,
  propagation: ExtractOptions,
  calls: CallFinish,
  peerMetadata: PeerMetadata,
): InboundTelemetry {
  return {
    contextFor: (
      head: Pick<RequestHead, 'header'>,
      nowMs: number,
      signal: SignalSource | undefined,
      latestMs?: number,
    ) => new InboundContext(head, nowMs, latestMs, signal, propagation),
    readsRequestId: () => calls.isLogged || spans.isRecording(),
    startServerSpan: (call, context) =>
      spans.isRecording() ? guarded(() => spans.startServer(call, context), undefined) : undefined,
    run<Result>(context: RequestContext, span: SpanHandle | undefined, body: () => Result): Result {
      if (span === undefined) return carrier.run(context, body);
      // Calls of this request are children of its server span, also where no context manager carries OpenTelemetry's own context.
      const inSpan = new ContextInSpan(context, span.trace, span.traceState ?? context.traceState);
      return carrier.run(inSpan, () => spans.run(span, body));
    },
    finish: (call) => calls.finish(call),
    peerMetadata,
  };
}
