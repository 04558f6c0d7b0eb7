// Headers of a Node request, read and changed from `rawHeaders`: Node's own `headers` keeps only the first of several Host or Authorization values.
import type { IncomingMessage } from 'node:http';

/** All values of a header joined by `,` (RFC 9110 §5.3); undefined when absent. `name` in lower case. */
export function readHeader(request: IncomingMessage, name: string): string | undefined {
  const { rawHeaders } = request;
  let joined: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const key = rawHeaders[i];
    if (key?.length !== name.length || key.toLowerCase() !== name) continue;
    const value = rawHeaders[i + 1] ?? '';
    joined = joined === undefined ? value : `${joined},${value}`;
  }
  return joined;
}

/** How often a header was sent. */
export function headerCount(request: IncomingMessage, name: string): number {
  let count = 0;
  for (let i = 0; i < request.rawHeaders.length; i += 2)
    if (request.rawHeaders[i]?.length === name.length && request.rawHeaders[i]?.toLowerCase() === name) count++;
  return count;
}

/** True when any header's lower-case name passes the test. */
function hasHeaderLike(request: IncomingMessage, test: (name: string) => boolean): boolean {
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) if (test((rawHeaders[i] ?? '').toLowerCase())) return true;
  return false;
}

/** Takes headers out of every view that the application has of them. */
export function removeHeaders(request: IncomingMessage, test: (name: string) => boolean): void {
  if (!hasHeaderLike(request, test)) return;
  // Built by Node from the old list before that list changes.
  const { headers } = request;
  const kept: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (!test(name.toLowerCase())) kept.push(name, request.rawHeaders[i + 1] ?? '');
  }
  for (const name of Object.keys(headers)) if (test(name)) Reflect.deleteProperty(headers, name);
  replaceRaw(request, kept);
}

/** Sets a header to one value in every view that the application has of it. */
export function setHeader(request: IncomingMessage, name: string, value: string): void {
  const { headers } = request;
  removeHeaders(request, (candidate) => candidate === name);
  headers[name] = value;
  replaceRaw(request, [...request.rawHeaders, name, value]);
}

/** Adds a header that is known to be absent. Cheaper than setHeader; `headersDistinct`, which few read, does not show it. */
export function addHeader(request: IncomingMessage, name: string, value: string): void {
  request.headers[name] = value;
  request.rawHeaders.push(name, value);
}

function replaceRaw(request: IncomingMessage, rawHeaders: string[]): void {
  request.rawHeaders = rawHeaders;
  // Node derives this view from the count of headers that it parsed, which no longer fits.
  const distinct = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < rawHeaders.length; i += 2)
    (distinct[(rawHeaders[i] ?? '').toLowerCase()] ??= []).push(rawHeaders[i + 1] ?? '');
  request.headersDistinct = distinct;
}
