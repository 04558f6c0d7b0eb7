// Writes the propagation headers of an outbound call: each name once, set by us or left to the application.
import type { SpanHandle } from '../call-telemetry.js';
import type { RequestContext, TraceParent } from '../request-context.js';
import { formatB3Single, writeB3Multi } from './b3.js';
import { type ExtractOptions, traceOfB3Headers } from './extract-context.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';

type HeaderLookup = (name: string) => string | undefined;

/**
 * Appends the headers to a flat name/value list and returns the request id. The application's own `traceparent`, where the
 * list holds it already, is replaced: that name is always ours, and a call carries one only. The parent of the call is its span, else the application's own traceparent (the
 * application says so), else the inbound request's trace, else a new one. `baggage` replaces the inbound request's where the tracer holds its own.
 */
export function writePropagationHeaders(
  headers: string[],
  context: RequestContext | undefined,
  span: SpanHandle | undefined,
  applicationHeader: HeaderLookup,
  options: ExtractOptions,
  baggage: string | undefined = context?.baggage,
): string {
  const requestId = writeRequestId(headers, context, applicationHeader, options);
  if (span === undefined) {
    const parent = parentTrace(context, applicationHeader, options);
    writeTrace(headers, context, parent, options.ids.spanId(), applicationHeader);
    if (parent === context?.trace) writeOnce(headers, 'tracestate', context.traceState, applicationHeader);
  } else {
    writeTrace(headers, context, span.trace, span.trace.spanId, applicationHeader);
    writeOnce(headers, 'tracestate', span.traceState, applicationHeader);
  }
  writeOnce(headers, 'baggage', baggage, applicationHeader);
  if (context !== undefined) writeForwarded(headers, context.forwarded, applicationHeader);
  return requestId;
}

function writeRequestId(
  headers: string[],
  context: RequestContext | undefined,
  applicationHeader: HeaderLookup,
  options: ExtractOptions,
): string {
  const own = applicationHeader('x-request-id');
  if (own !== undefined && own !== '') return own;
  const requestId = context === undefined ? options.ids.requestId() : context.requestId;
  headers.push('x-request-id', requestId);
  return requestId;
}

function parentTrace(
  context: RequestContext | undefined,
  applicationHeader: HeaderLookup,
  options: ExtractOptions,
): TraceParent {
  const known =
    parseTraceparent(applicationHeader('traceparent')) ??
    context?.trace ??
    traceOfB3Headers(applicationHeader, options);
  if (known !== undefined) return known;
  return { traceId: options.ids.traceId(), spanId: '', sampled: options.decideSampling(), random: true };
}

function writeTrace(
  headers: string[],
  context: RequestContext | undefined,
  trace: TraceParent,
  spanId: string,
  applicationHeader: HeaderLookup,
): void {
  const traceparent = formatTraceparent(trace.traceId, spanId, trace.sampled, trace.random === true);
  if (applicationHeader('traceparent') !== undefined) removeHeader(headers, 'traceparent');
  headers.push('traceparent', traceparent);
  const encoding = context?.b3;
  if (encoding === undefined) return;
  if (applicationHeader('b3') !== undefined || applicationHeader('x-b3-traceid') !== undefined) return;
  const sampling = context?.b3Debug === true ? 'debug' : trace.sampled ? 'accept' : 'deny';
  const parentSpanId = trace.spanId === '' || trace.spanId === spanId ? undefined : trace.spanId;
  if (encoding === 'single') headers.push('b3', formatB3Single(trace.traceId, spanId, sampling, parentSpanId));
  else writeB3Multi(headers, trace.traceId, spanId, sampling, parentSpanId);
}

function writeForwarded(headers: string[], forwarded: readonly string[], applicationHeader: HeaderLookup): void {
  for (let index = 0; index + 1 < forwarded.length; index += 2)
    writeOnce(headers, forwarded[index] as string, forwarded[index + 1], applicationHeader);
}

/** Removes every occurrence of a lower-case name from a flat name/value list. */
function removeHeader(headers: string[], name: string): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) if (headers[index] === name) headers.splice(index, 2);
}

function writeOnce(headers: string[], name: string, value: string | undefined, applicationHeader: HeaderLookup): void {
  if (value !== undefined && applicationHeader(name) === undefined) headers.push(name, value);
}
