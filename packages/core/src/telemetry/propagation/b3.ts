// B3 propagation (openzipkin/b3-propagation): one `b3` header or several `x-b3-*` ones, read and written.
import { isLowerHex, trimOws } from './traceparent.js';

export type B3Sampling = 'accept' | 'deny' | 'defer' | 'debug';

export interface B3Context {
  /** 16 or 32 hex digits as they came; undefined when only a decision came. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly parentSpanId: string | undefined;
  readonly sampling: B3Sampling;
  readonly encoding: 'single' | 'multi';
}

/** Reads B3 headers; the single header wins over the several. `malformed` starts a fresh trace. */
export function parseB3(header: (name: string) => string | undefined): B3Context | 'malformed' | undefined {
  const single = header('b3');
  return single === undefined ? parseMulti(header) : parseSingle(trimOws(first(single)));
}

/** `{trace}-{span}[-{sampling}[-{parent}]]`. */
export function formatB3Single(traceId: string, spanId: string, sampling: B3Sampling, parentSpanId?: string): string {
  const head = shortTraceId(traceId) + '-' + spanId;
  if (sampling === 'defer') return head;
  const decision = sampling === 'accept' ? '1' : sampling === 'deny' ? '0' : 'd';
  return head + '-' + decision + (parentSpanId === undefined ? '' : '-' + parentSpanId);
}

/** Appends the `x-b3-*` headers to a flat name/value list. */
export function writeB3Multi(
  headers: string[],
  traceId: string,
  spanId: string,
  sampling: B3Sampling,
  parentSpanId?: string,
): void {
  headers.push('x-b3-traceid', shortTraceId(traceId), 'x-b3-spanid', spanId);
  if (parentSpanId !== undefined) headers.push('x-b3-parentspanid', parentSpanId);
  if (sampling === 'debug') headers.push('x-b3-flags', '1');
  else if (sampling !== 'defer') headers.push('x-b3-sampled', sampling === 'accept' ? '1' : '0');
}

/** A 64-bit id padded to 128 bits, as W3C wants it. */
export function longTraceId(traceId: string): string {
  return traceId.length === 16 ? '0000000000000000' + traceId : traceId;
}

/** A 64-bit id goes out with the length it came with, so that peers that know only 64 bits find their trace. */
function shortTraceId(traceId: string): string {
  return traceId.length === 32 && traceId.startsWith('0000000000000000') ? traceId.slice(16) : traceId;
}

function parseSingle(text: string): B3Context | 'malformed' {
  const parts = text.split('-');
  const [traceId, spanId, decision, parentSpanId] = parts;
  if (parts.length === 1) {
    const sampling = samplingOf(text);
    return sampling === undefined ? 'malformed' : decisionOnly(sampling, 'single');
  }
  if (parts.length > 4 || !isTraceId(traceId) || !isSpanId(spanId)) return 'malformed';
  const sampling = decision === undefined ? 'defer' : samplingOf(decision);
  if (sampling === undefined || (parentSpanId !== undefined && !isSpanId(parentSpanId))) return 'malformed';
  return { traceId, spanId, parentSpanId, sampling, encoding: 'single' };
}

function parseMulti(header: (name: string) => string | undefined): B3Context | 'malformed' | undefined {
  const traceId = firstOf(header('x-b3-traceid'));
  const spanId = firstOf(header('x-b3-spanid'));
  const sampled = firstOf(header('x-b3-sampled'));
  const debug = firstOf(header('x-b3-flags')) === '1';
  if (traceId === undefined && spanId === undefined && sampled === undefined && !debug) return undefined;
  // `d` is a word of the single header only; the several use x-b3-flags.
  const decision = sampled === undefined ? 'defer' : sampled === 'd' ? undefined : samplingOf(sampled);
  if (decision === undefined) return 'malformed';
  const sampling = debug ? 'debug' : decision;
  if (traceId === undefined && spanId === undefined) return decisionOnly(sampling, 'multi');
  const parentSpanId = firstOf(header('x-b3-parentspanid'));
  if (!isTraceId(traceId) || !isSpanId(spanId) || (parentSpanId !== undefined && !isSpanId(parentSpanId)))
    return 'malformed';
  return { traceId, spanId, parentSpanId, sampling, encoding: 'multi' };
}

function decisionOnly(sampling: B3Sampling, encoding: 'single' | 'multi'): B3Context {
  return { traceId: undefined, spanId: undefined, parentSpanId: undefined, sampling, encoding };
}

/** `true` and `false` are of old Zipkin clients and still met. */
function samplingOf(text: string): B3Sampling | undefined {
  switch (text) {
    case '1':
    case 'true':
      return 'accept';
    case '0':
    case 'false':
      return 'deny';
    case 'd':
      return 'debug';
    default:
      return undefined;
  }
}

function isTraceId(text: string | undefined): text is string {
  return text !== undefined && (text.length === 32 || text.length === 16) && isId(text);
}

function isSpanId(text: string | undefined): text is string {
  return text?.length === 16 && isId(text);
}

function isId(text: string): boolean {
  return isLowerHex(text, 0, text.length) && !/^0+$/.test(text);
}

function firstOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : trimOws(first(text));
}

/** The first of values that were joined because the header came several times. */
function first(text: string): string {
  const comma = text.indexOf(',');
  return comma < 0 ? text : text.slice(0, comma);
}
