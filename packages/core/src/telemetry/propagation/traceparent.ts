// The traceparent header (W3C Trace Context §3.2): read strictly, written as version 00.
import type { TraceParent } from '../request-context.js';

const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);
/** Length of version 00, and of the part of a later version that this one understands. */
const LENGTH = 55;

/** Reads a traceparent; undefined when it is absent or breaks the grammar (then the trace starts anew, §4.2). */
export function parseTraceparent(header: string | undefined): TraceParent | undefined {
  if (header === undefined) return undefined;
  const text = trimOws(header);
  if (!isWellFormed(text)) return undefined;
  const traceId = text.slice(3, 35);
  const spanId = text.slice(36, 52);
  if (traceId === ZERO_TRACE || spanId === ZERO_SPAN) return undefined;
  const flags = parseInt(text.slice(53, 55), 16);
  return { traceId, spanId, sampled: (flags & 1) === 1, random: (flags & 2) === 2 };
}

/** Writes the header for a child span of `trace`. */
export function formatTraceparent(traceId: string, spanId: string, sampled: boolean, random: boolean): string {
  return '00-' + traceId + '-' + spanId + (random ? (sampled ? '-03' : '-02') : sampled ? '-01' : '-00');
}

function isWellFormed(text: string): boolean {
  if (text.length < LENGTH || !isLowerHex(text, 0, 2) || text.startsWith('ff')) return false;
  // Version 00 has nothing after the flags; a later one may, behind a dash.
  if (text.length > LENGTH && (text.startsWith('00') || text.charCodeAt(LENGTH) !== DASH)) return false;
  return (
    text.charCodeAt(2) === DASH &&
    isLowerHex(text, 3, 35) &&
    text.charCodeAt(35) === DASH &&
    isLowerHex(text, 36, 52) &&
    text.charCodeAt(52) === DASH &&
    isLowerHex(text, 53, 55)
  );
}

const DASH = 0x2d;

/** True when [from, to) holds only `0-9a-f`. */
export function isLowerHex(text: string, from: number, to: number): boolean {
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

/** Removes the optional white space (space, tab) around a field value (RFC 9110 §5.6.3). */
export function trimOws(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isOws(text.charCodeAt(from))) from++;
  while (to > from && isOws(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
