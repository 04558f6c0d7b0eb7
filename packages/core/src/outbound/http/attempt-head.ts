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
  readonly record: { requestId: string };
}

/** Route operations run once, before the first attempt; what differs between attempts is appended to a copy where there may be several. */
export function attemptHeaders(
  runtime: OutboundRuntime,
  head: OutboundHead,
  call: ForwardedCall,
  endpoint: EndpointState,
  context: RequestContext | undefined,
  span: SpanHandle | undefined,
  facts: AttemptFacts,
  nowMs: number,
): string[] {
  if (facts.attempts === 1) amendOnce(runtime, head, call, endpoint);
  const { retry } = call.action;
  const headers = retry === undefined ? head.headers : head.headers.slice();
  headers.push('host', hostOf(call, head, endpoint));
  // With include_request_attempt_count, which Istio sets on every virtual host.
  if (call.plan !== undefined) {
    headers.push('x-envoy-attempt-count', facts.attempts === 1 ? '1' : String(facts.attempts));
    const expectedMs = expectedTimeoutMs(retry?.perTryTimeoutMs ?? 0, facts.deadlineMs, nowMs);
    if (expectedMs > 0) headers.push('x-envoy-expected-rq-timeout-ms', String(expectedMs));
  }
  const written = head.headers;
  facts.record.requestId = runtime.telemetry.writeHeaders(headers, context, span, (name) => valueOf(written, name));
  return headers;
}

export function pathOf(call: ForwardedCall, head: OutboundHead): string {
  const { rewritePath } = call.action;
  return rewritePath === undefined ? head.path : rewritePath(head.path);
}

function hostOf(call: ForwardedCall, head: OutboundHead, endpoint: EndpointState): string {
  const { hostRewrite } = call.action;
  if (hostRewrite === undefined) return head.authority;
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

function valueOf(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) if (headers[index] === name) return headers[index + 1];
  return undefined;
}
