// Ordinary OpenTelemetry set-up of an application: a provider and an exporter. Nothing here or in the services carries a header by hand.
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';

/** Hands finished spans to the process that started this one (the demo), which draws the trace. */
class ParentProcessExporter implements SpanExporter {
  export(spans: ReadableSpan[], done: (result: { code: number }) => void): void {
    const service = process.env['HEDDLE_SERVICE'] ?? 'unknown';
    const finished = spans.map((span) => ({
      service,
      name: span.name,
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId,
    }));
    if (process.connected) process.send?.({ spans: finished });
    done({ code: 0 });
  }

  async shutdown(): Promise<void> {}
}

export function startTracing(): void {
  const exporter = new ParentProcessExporter();
  const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 200 });
  new NodeTracerProvider({ spanProcessors: [processor] }).register();
}
