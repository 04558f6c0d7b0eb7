// The services that a test mesh calls, in memory: what they are called, what they answer, and what they were asked.
import type { PoolShape } from '../../transport/endpoint-pool.js';

/** One request as an upstream got it: after routing, rewrites and header operations, one for each attempt. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  /** Lower-case names; values of equal names joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Endpoint that the mesh picked, `ip:port` or `name:port`. */
  readonly address: string;
  /** Service and version of that endpoint, e.g. `reviews` and `v1`; empty where the configuration does not say. */
  readonly service: string;
  readonly version: string;
  /** Cluster, as Envoy and Istio name it. */
  readonly cluster: string;
  /** True where the mesh would have used TLS. */
  readonly secure: boolean;
  /** Virtual milliseconds. */
  readonly atMs: number;
  /** Counts the requests of the upstream (of its key in `upstreams`) from 1. */
  readonly number: number;
  /** Aborted when the mesh gives the attempt up. */
  readonly signal: AbortSignal;
}

export interface UpstreamAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string or bytes as they are; anything else as JSON. */
  readonly body?: unknown;
  /** Virtual milliseconds until the answer begins. Default 0. */
  readonly delayMs?: number;
}

/** `refuse`: no connection can be made. `reset`: the connection breaks after the request. `hang`: no answer ever. */
export type UpstreamFailure = 'refuse' | 'reset' | 'hang';

/** A number is a status without a body. */
export type UpstreamReply = number | UpstreamFailure | UpstreamAnswer;

export type UpstreamHandler = (request: UpstreamRequest) => UpstreamReply | PromiseLike<UpstreamReply>;

/** One reply for every request, a list of replies of which the last one stays, or a function. */
export type Upstream = UpstreamReply | readonly [UpstreamReply, ...UpstreamReply[]] | UpstreamHandler;

/**
 * Upstreams by what they stand for, the most exact first: an address (`10.0.0.7:9080`), a service's version (`reviews/v1`), a service
 * (`reviews`), a host (`reviews.default.svc.cluster.local`, `api.example.com`), or `*`. An endpoint that none stands for refuses connections.
 */
export type Upstreams = Readonly<Record<string, Upstream>>;

export interface UpstreamIdentity {
  readonly address: string;
  readonly service: string;
  readonly version: string;
  readonly cluster: string;
  readonly secure: boolean;
}

/** Who an endpoint is, from the configuration's own metadata. */
export function identify({ cluster, endpoint, secure }: PoolShape): UpstreamIdentity {
  const [, , name = '', version = ''] = (endpoint.workload ?? '').split(';');
  const service = name === '' ? (cluster.service?.name ?? '') : name;
  return { address: endpoint.address, service, version, cluster: cluster.name, secure };
}

/** The key of `upstreams` that stands for an endpoint; undefined where none does. */
export function upstreamKey(upstreams: Upstreams, { cluster, endpoint, secure }: PoolShape): string | undefined {
  const { address, service, version } = identify({ cluster, endpoint, secure } as PoolShape);
  const candidates = [address, `${service}/${version}`, service, cluster.service?.host ?? '', endpoint.host, '*'];
  return candidates.find((candidate) => candidate !== '' && Object.hasOwn(upstreams, candidate));
}

/** The reply for one request. */
export function replyOf(upstream: Upstream, request: UpstreamRequest): UpstreamReply | PromiseLike<UpstreamReply> {
  if (typeof upstream === 'function') return upstream(request);
  if (!isScript(upstream)) return upstream;
  return upstream[Math.min(request.number, upstream.length) - 1] ?? upstream[0];
}

/** Status, lower-case headers with a length, and bytes. */
export function answerParts(answer: number | UpstreamAnswer, method: string) {
  const { status = 200, headers = {}, body, delayMs = 0 } = typeof answer === 'number' ? { status: answer } : answer;
  const bytes = bytesOf(body);
  const own: Record<string, string> = {};
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array))
    own['content-type'] = 'application/json';
  for (const [name, value] of Object.entries(headers)) own[name.toLowerCase()] = value;
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  if (!bodiless) own['content-length'] ??= String(bytes.length);
  return { status, headers: own, bytes: bodiless ? NOTHING : bytes, delayMs };
}

const NOTHING = Buffer.alloc(0);

function bytesOf(body: unknown): Buffer {
  if (body === undefined) return NOTHING;
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(JSON.stringify(body));
}

function isScript(upstream: Upstream): upstream is readonly [UpstreamReply, ...UpstreamReply[]] {
  return Array.isArray(upstream);
}
