// Copies of a call to other clusters: fire and forget, no retries, no filters, the answer is thrown away (Envoy: request_mirror_policies).
import type { RequestContext } from '../../telemetry/request-context.js';
import { OutboundHead } from '../exchange/outbound-head.js';
import type { Origin } from '../origin-table.js';
import type { ForwardedCall } from '../prepare-call.js';
import type { OutboundRuntime } from '../runtime.js';
import { HttpCall, type HttpCallHints } from './http-call.js';
import { NO_HANDLER } from './reply-delivery.js';
import { knownSizeBytes, type RequestBody } from './request-body.js';

const NO_HINTS: HttpCallHints = Object.freeze({});

export interface Mirror {
  readonly cluster: string;
  readonly fraction: number;
  readonly head: OutboundHead;
  readonly call: ForwardedCall;
}

/** The heads of a call's mirrors, taken before filters and routes change the call's own. */
export function mirrorHeads(call: ForwardedCall, head: OutboundHead): Mirror[] {
  return call.action.mirrors.map(({ cluster, fraction }) => ({
    cluster,
    fraction,
    call,
    // Envoy appends -shadow to the host, before the port.
    head: new OutboundHead(head.method, head.path, shadowAuthority(head.authority), head.scheme, 0, [...head.headers]),
  }));
}

function shadowAuthority(authority: string): string {
  const colon = authority.lastIndexOf(':');
  const hasPort = colon > 0 && !authority.endsWith(']');
  return hasPort ? `${authority.slice(0, colon)}-shadow${authority.slice(colon)}` : `${authority}-shadow`;
}

/** Streams are not mirrored. The mirror carries the call's request id and trace, but neither its deadline nor its cancellation. */
export function startMirror(
  runtime: OutboundRuntime,
  origin: Origin,
  mirror: Mirror,
  body: RequestBody,
  context: RequestContext | undefined,
  nowMs: number,
): void {
  if (knownSizeBytes(body) < 0 || runtime.draws('mirror') >= mirror.fraction) return;
  const cluster = runtime.currentSnapshot().cluster(mirror.cluster);
  if (cluster === undefined) return;
  const { action } = mirror.call;
  const prepared: ForwardedCall = {
    kind: 'forward',
    plan: mirror.call.plan,
    action: { ...action, retry: undefined, mirrors: [], hostRewrite: undefined, hostRewriteFrom: undefined },
    entry: undefined,
    cluster: runtime.states.of(cluster),
    filters: [],
    fixedEndpoint: undefined,
  };
  const own = context === undefined ? undefined : detached(context);
  new HttpCall(runtime, origin, mirror.head, body, NO_HANDLER, NO_HINTS, nowMs).start(prepared, own, nowMs);
}

function detached({ requestId, trace, traceState, baggage, b3, b3Debug, forwarded }: RequestContext): RequestContext {
  return {
    requestId,
    trace,
    traceState,
    baggage,
    b3,
    b3Debug,
    forwarded,
    deadlineMs: undefined,
    signal: undefined,
  };
}
