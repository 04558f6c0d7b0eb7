// Request headers of a gRPC call: from grpc-js's Metadata to a flat list, and from there to one attempt's HTTP/2 headers.
import type { OutgoingHttpHeaders } from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';

/** Lower-case names and values in turn, as routes and filters read them. Binary values are base64 already. */
export function flatHeaders(metadata: Metadata): string[] {
  const flat: string[] = ['content-type', 'application/grpc', 'te', 'trailers', 'user-agent', 'heddle-grpc'];
  for (const [name, value] of Object.entries(metadata.toHttp2Headers())) {
    if (value === undefined || RESERVED.has(name)) continue;
    for (const each of Array.isArray(value) ? value : [value]) flat.push(name, String(each));
  }
  return flat;
}

/** Set by the call itself (gRPC over HTTP/2: Reserved-Header); compression is not offered. */
const RESERVED = new Set([
  'content-type',
  'te',
  'user-agent',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  'host',
  'connection',
]);

export function attemptHeaders(
  flat: readonly string[],
  path: string,
  authority: string,
  scheme: string,
  timeoutMs: number,
): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {
    ':method': 'POST',
    ':path': path,
    ':authority': authority,
    ':scheme': scheme,
  };
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] ?? '';
    const value = flat[i + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  if (Number.isFinite(timeoutMs)) headers['grpc-timeout'] = encodeTimeout(timeoutMs);
  return headers;
}

/** At most eight digits (gRPC over HTTP/2, "Timeout"). */
export function encodeTimeout(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  if (ms < 1e8) return `${ms}m`;
  const seconds = Math.ceil(ms / 1000);
  return seconds < 1e8 ? `${seconds}S` : `${Math.min(99_999_999, Math.ceil(seconds / 3600))}H`;
}

/** The application's traceparent is read as the parent of the attempt, whose own is the only one that goes out. */
export function withoutTraceparent(flat: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) if (flat[i] !== 'traceparent') kept.push(flat[i] ?? '', flat[i + 1] ?? '');
  return kept;
}
