// Headers of a Node request, read and changed from `rawHeaders`: Node's own `headers` keeps only the first of several Host or Authorization values.
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** All values of a header joined by `,` (RFC 9110 §5.3); undefined when absent. `name` in lower case. */
export function readHeader(request: { readonly rawHeaders: readonly string[] }, name: string): string | undefined {
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

/** Takes headers out of every view that the application has of them. */
export function removeHeaders(request: IncomingMessage, test: (name: string) => boolean): void {
  const { rawHeaders } = request;
  // Built by Node from the old list before that list changes.
  const { headers } = request;
  let removed = 0;
  // From the end: V8 forgets the last property of an object cheaply, and callers of the mesh send its headers last.
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (!test(name)) continue;
    rawHeaders.splice(i, 2);
    Reflect.deleteProperty(headers, name);
    removed += 2;
  }
  if (removed > 0) recount(request, -removed);
}

/** Sets a header to one value in every view that the application has of it. */
export function setHeader(request: IncomingMessage, name: string, value: string): void {
  removeHeaders(request, (candidate) => candidate === name);
  addHeader(request, name, value);
}

/** Adds a header that is known to be absent. */
export function addHeader(request: IncomingMessage, name: string, value: string): void {
  request.headers[name] = value;
  request.rawHeaders.push(name, value);
  recount(request, 2);
}

/**
 * Where Node keeps how many items of `rawHeaders` it builds `headersDistinct` from on first use. Node has no public way to say that the list changed;
 * a Node without this field gets the view built at once.
 */
const COUNT = Object.getOwnPropertySymbols(new IncomingMessage(new Socket())).find(
  ({ description }) => description === 'kHeadersCount',
);

function recount(request: IncomingMessage, change: number): void {
  const { rawHeaders } = request;
  const counted = request as unknown as Record<symbol, number>;
  if (COUNT !== undefined && counted[COUNT] === rawHeaders.length - change) {
    counted[COUNT] = rawHeaders.length;
    return;
  }
  const distinct = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < rawHeaders.length; i += 2)
    (distinct[(rawHeaders[i] ?? '').toLowerCase()] ??= []).push(rawHeaders[i + 1] ?? '');
  request.headersDistinct = distinct;
}
