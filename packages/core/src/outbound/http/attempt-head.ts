// The request line and headers of one attempt: the application's, then the route's changes, the mesh's own headers and the trace.
import type { EndpointState } from '../../cluster-state/endpoint-state.js';
import type { FormatContext } from '../../snapshot/route-snapshot.js';
import type { SpanHandle } from '../../telemetry/call-telemetry.js';
import type { RequestContext } from '../../telemetry/request-context.js';
import type { OutboundHead } from '../exchange/outbound-head.js';
import { expectedTimeoutMs } from '../exchange/timeout-plan.js';
import type { ForwardedCall } from '../prepare-call.js';
import type { OutboundRuntime } from '../runtime.js';
import { amendRequest } from './header-operations.js';

/** What the headers need of the exchange. `record.requestId` is written back. */
interface AttemptFacts {
  readonly attempts: number;
  readonly deadlineMs: number;
  /** How many items of `head.headers` are the application's and the route's: what follows belongs to the first attempt. -1 before it. */
  sharedItems: number;
  readonly record: { requestId: string };
}

const NO_HEADERS: readonly string[] = [];

/** Finds headers in the list that is written at the moment: one per mesh, for writing is synchronous, and a closure per attempt is not needed. */
export class HeaderLookup {
  headers = NO_HEADERS;
  readonly find = (name: string): string | undefined => {
    const { headers } = this;
    for (let index = 0; index < headers.length; index += 2) if (headers[index] === name) return headers[index + 1];
    return undefined;
  };
}

/**
 * Route operations run once, before the first attempt. That attempt appends what is its own to the head itself; another one begins with a copy of what
 * all share.
 */
export function attemptHeaders(
  runtime: OutboundRuntime,
  head: OutboundHead,
  call: ForwardedCall,
  endpoint: EndpointState,
  context: RequestContext | undefined,
  span: SpanHandle | undefined,
  inMesh: boolean,
  facts: AttemptFacts,
  nowMs: number,
): string[] {
  const { telemetry, lookup } = runtime;
  const { action } = call;
  if (facts.sharedItems < 0) {
    amendOnce(runtime, head, call, endpoint);
    facts.sharedItems = head.headers.length;
  }
  lookup.headers = head.headers;
  // Telemetry takes the application's own traceparent out of the list, which the next attempt wants to find there.
  const shares = facts.attempts === 1 && lookup.find('traceparent') === undefined;
  const headers = shares ? head.headers : head.headers.slice(0, facts.sharedItems);
  if (!shares) lookup.headers = headers.slice();
  const host = hostOf(call, head, endpoint);
  headers.push('host', host);
  if (host !== head.authority) headers.push('x-envoy-original-host', head.authority);
  if (action.includeAttemptCount === true)
    headers.push('x-envoy-attempt-count', facts.attempts === 1 ? '1' : String(facts.attempts));
  if (call.plan !== undefined) {
    // Istio's servers would tell their application https, the scheme of the hop, where nobody said http before.
    if (lookup.find('x-forwarded-proto') === undefined) headers.push('x-forwarded-proto', head.scheme);
    const expectedMs = expectedTimeoutMs(action.retry?.perTryTimeoutMs ?? 0, facts.deadlineMs, nowMs);
    if (expectedMs > 0) headers.push('x-envoy-expected-rq-timeout-ms', String(expectedMs));
  }
  const { peerMetadata } = telemetry;
  if (inMesh && peerMetadata !== undefined)
    headers.push('x-envoy-peer-metadata', peerMetadata.metadata, 'x-envoy-peer-metadata-id', peerMetadata.id);
  facts.record.requestId = telemetry.writeHeaders(headers, context, span, lookup.find);
  lookup.headers = NO_HEADERS;
  return headers;
}

export function pathOf(call: ForwardedCall, head: OutboundHead): string {
  const { rewritePath } = call.action;
  return rewritePath === undefined ? head.path : rewritePath(head.path);
}

/** Size on the wire of a request's head over HTTP/1.1, as undici writes it (`connection: keep-alive` and the empty line included). */
export function requestHeadBytes(method: string, path: string, headers: readonly string[]): number {
  let bytes = method.length + path.length + 12 + 24 + 2;
  for (let index = 0; index < headers.length; index++) bytes += (headers[index] as string).length + 2;
  return bytes;
}

/** Size on the wire of an HTTP/1.1 answer's head, from undici's raw names and values; 0 where they are not known (HTTP/2). */
export function responseHeadBytes(raw: unknown, statusText: string | undefined): number {
  if (!Array.isArray(raw)) return 0;
  let bytes = 17 + (statusText?.length ?? 0);
  for (let index = 0; index < raw.length; index++) bytes += (raw[index] as Buffer).length + 2;
  return bytes;
}

/** Envoy: the weighted cluster's rewrite, else the route's. */
function hostOf({ action, entry }: ForwardedCall, head: OutboundHead, endpoint: EndpointState): string {
  const hostRewrite = entry?.hostRewrite ?? action.hostRewrite;
  if (hostRewrite === undefined) return action.hostRewriteFrom?.(head) ?? head.authority;
  if (typeof hostRewrite === 'string') return hostRewrite;
  return endpoint.endpoint.hostname ?? head.authority;
}

function amendOnce(runtime: OutboundRuntime, head: OutboundHead, call: ForwardedCall, endpoint: EndpointState): void {
  const entry = call.entry?.requestHeaders;
  const route = call.plan?.requestHeaders;
  if (call.action.rewritePath !== undefined) head.setHeader('x-envoy-original-path', head.path);
  if (entry === undefined && route === undefined) return;
  const context: FormatContext = {
    head,
    responseHeader: undefined,
    upstreamAddress: endpoint.address,
    upstreamCluster: call.cluster.name,
    downstreamAddress: undefined,
    wallMs: runtime.clock.wallMs(),
  };
  if (entry !== undefined) amendRequest(entry, head, context);
  if (route !== undefined) amendRequest(route, head, context);
}
