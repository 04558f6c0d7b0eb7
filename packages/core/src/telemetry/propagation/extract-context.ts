// The rules by which parts of a context are read from headers, or made where there are none: request id, trace, baggage, forwarded headers.
import type { RequestContext, TraceParent } from '../request-context.js';
import { type B3Context, type B3Sampling, longTraceId, parseB3 } from './b3.js';
import type { IdSource } from './id-source.js';

/** W3C Baggage §3.3.2: platforms pass on at least this much; more is dropped, not cut. */
const MAX_BAGGAGE_BYTES = 8192;
/** Longer request ids are replaced: they go into every log line. */
const MAX_REQUEST_ID_LENGTH = 256;

export interface ExtractOptions {
  readonly ids: IdSource;
  /** Header names (lower case) that go on unchanged. */
  readonly forwardHeaders: readonly string[];
  /** The decision for a trace that comes without one. */
  readonly decideSampling: () => boolean;
  /** True when a tracer starts traces itself, so that none is invented here for a request without one. */
  readonly tracerStartsTraces: () => boolean;
}

/** The context of a call that is made for no inbound request. */
export function rootContext(options: ExtractOptions): RequestContext {
  return {
    requestId: options.ids.requestId(),
    trace: freshTrace(undefined, options),
    traceState: undefined,
    baggage: undefined,
    b3: undefined,
    b3Debug: false,
    deadlineMs: undefined,
    signal: undefined,
    forwarded: NOTHING,
  };
}

/** The trace that B3 headers name; undefined when they name none or are malformed. */
export function traceOfB3Headers(
  header: (name: string) => string | undefined,
  options: ExtractOptions,
): TraceParent | undefined {
  return traceOfB3(b3Of(header), options);
}

export function b3Of(header: (name: string) => string | undefined): B3Context | undefined {
  const b3 = parseB3(header);
  return b3 === 'malformed' ? undefined : b3;
}

export function traceOfB3(b3: B3Context | undefined, options: ExtractOptions): TraceParent | undefined {
  if (b3?.traceId === undefined || b3.spanId === undefined) return undefined;
  return { traceId: longTraceId(b3.traceId), spanId: b3.spanId, sampled: decided(b3.sampling, options), random: false };
}

/**
 * A trace for a request that brought none. It is made here, not at the first call, so that all calls of the request share it. A decision that
 * came without a trace (`b3: 0`) is kept; with a tracer and no decision the tracer's sampler decides.
 */
export function freshTrace(sampling: B3Sampling | undefined, options: ExtractOptions): TraceParent | undefined {
  if (sampling === undefined && options.tracerStartsTraces()) return undefined;
  return {
    traceId: options.ids.traceId(),
    spanId: options.ids.spanId(),
    sampled: decided(sampling ?? 'defer', options),
    random: true,
  };
}

function decided(sampling: B3Sampling, options: ExtractOptions): boolean {
  switch (sampling) {
    case 'accept':
    case 'debug':
      return true;
    case 'deny':
      return false;
    case 'defer':
      return options.decideSampling();
  }
}

export function requestIdOf(text: string | undefined, ids: IdSource): string {
  return text === undefined || text === '' || text.length > MAX_REQUEST_ID_LENGTH ? ids.requestId() : text;
}

export function baggageOf(text: string | undefined): string | undefined {
  return text === undefined || text === '' || text.length > MAX_BAGGAGE_BYTES ? undefined : text;
}

const NOTHING: readonly string[] = [];

export function forwardedOf(header: (name: string) => string | undefined, names: readonly string[]): readonly string[] {
  let found: string[] | undefined;
  for (const name of names) {
    const value = header(name);
    if (value !== undefined) (found ??= []).push(name, value);
  }
  return found ?? NOTHING;
}
