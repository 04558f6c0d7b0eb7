// What a caller and the upstreams saw of one request, with what differs between any two runs made equal.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Names with all their values, in lower case and sorted: the order between names carries no meaning. */
export type Headers = Readonly<Record<string, string>>;

export interface Attempt {
  /** Pod of the upstream. */
  readonly workload: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

export interface Observation {
  /** 0 where the caller got no response. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** How the call ended for the caller: `complete`, `broken-body`, `no-response`. */
  readonly end: string;
  readonly attempts: readonly Attempt[];
  readonly elapsedMs: number;
}

/** Headers of one hop, and those that name the run. */
const OF_THE_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'x-call', 'x-echo', 'x-echo-headers']); // prettier-ignore

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function headersOf(raw: readonly string[]): Headers {
  const lists = new Map<string, string[]>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    if (OF_THE_HOP.has(name)) continue;
    lists.set(name, [...(lists.get(name) ?? []), normal(name, raw[index + 1] ?? '')]);
  }
  return Object.fromEntries(
    [...lists].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, v.join(k === 'set-cookie' ? ' | ' : ',')]),
  );
}

export function headersOfObject(headers: IncomingHttpHeaders | Record<string, string | string[] | undefined>): Headers {
  const raw = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).flatMap((each) => [name, each]),
  );
  return headersOf(raw);
}

function normal(name: string, value: string): string {
  if (name === 'x-request-id' && UUID.test(value)) return 'a UUID';
  if (name === 'x-envoy-upstream-service-time') return 'ms';
  if (name === 'x-forwarded-client-cert') return value.replace(/Hash=[0-9a-f]{64}/g, 'Hash=…');
  // Less by what the call had spent already.
  if (name === 'x-envoy-expected-rq-timeout-ms') return `~${String(Math.ceil(Number(value) / 100) * 100)}`;
  return value;
}

export function digest(body: Buffer): string {
  if (body.length <= 400) return body.toString('latin1');
  return `${String(body.length)} bytes, sha256 ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
}
