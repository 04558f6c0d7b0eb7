// Ordinary OpenTelemetry set-up of an application: a provider and an exporter. Nothing here or in the services carries a header by hand.
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';

export interface FinishedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
}

/** Hands finished spans to whoever draws the traces. */
class CallbackExporter implements SpanExporter {
  constructor(
    private readonly service: string,
    private readonly take: (spans: FinishedSpan[]) => void,
  ) {}

  export(spans: ReadableSpan[], done: (result: { code: number }) => void): void {
    this.take(
      spans.map((span) => ({
        service: this.service,
        name: span.name,
        traceId: span.spanContext().traceId,
        spanId: span.spanContext().spanId,
        parentSpanId: span.parentSpanContext?.spanId,
      })),
    );
    done({ code: 0 });
  }

  async shutdown(): Promise<void> {}
}

/** By default the spans go to the process that started this one (the demo). */
export function startTracing(
  service: string = process.env['HEDDLE_SERVICE'] ?? 'unknown',
  take: (spans: FinishedSpan[]) => void = sendToParent,
): void {
  const processor = new BatchSpanProcessor(new CallbackExporter(service, take), { scheduledDelayMillis: 200 });
  new NodeTracerProvider({ spanProcessors: [processor] }).register();
}

function sendToParent(spans: FinishedSpan[]): void {
  if (process.connected) process.send?.({ spans });
}
