// From undici's dispatch options to a running call: checks the request, finds its route, starts it and its mirrors.
import { MeshError } from '../../errors.js';
import { pathWithQuery, type Dispatcher } from '../../transport/undici.js';
import { OutboundHead } from '../exchange/outbound-head.js';
import { prepareCall, type ForwardedCall, type PreparedCall } from '../prepare-call.js';
import type { Origin } from '../origin-table.js';
import type { OutboundRuntime } from '../runtime.js';
import { HttpCall, type HttpCallHints } from './http-call.js';
import { checkBody, encodeForm, knownSizeBytes, type RequestBody } from './request-body.js';
import { checkRequestLine, type FlatHeaders } from './request-headers.js';

const NO_HINTS: HttpCallHints = Object.freeze({});
const SILENT: Dispatcher.DispatchHandler = Object.freeze({});

/** Begins a call. What is wrong with the request itself reaches the handler as MeshError INVALID_REQUEST; nothing is thrown. */
export function startCall(
  runtime: OutboundRuntime,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
  hints: HttpCallHints,
): void {
  let call: HttpCall | undefined = undefined;
  try {
    const nowMs = runtime.clock.nowMs();
    const snapshot = runtime.currentSnapshot();
    const origin = runtime.origins.get(options.origin, snapshot);
    const { head, body } = readRequest(runtime, options, origin);
    const grpc = isGrpc(head);
    call = new HttpCall(runtime, origin, head, body, handler, grpc ? { ...pickHints(hints), grpc } : hints, nowMs);
    const { host, port, listener } = origin;
    const prepared = prepareCall(snapshot, runtime.states, runtime.draws, listener, head, host, port);
    // Mirrors get the head as the application wrote it, before filters and routes change it.
    const mirrors =
      prepared.kind === 'forward' && prepared.action.mirrors.length > 0 ? mirrorHeads(prepared, head) : [];
    call.start(prepared, runtime.telemetry.currentContext(), nowMs);
    for (const mirror of mirrors) startMirror(runtime, origin, mirror, body, nowMs);
  } catch (error) {
    const reason = error instanceof Error ? error : new MeshError('INTERNAL', String(error));
    if (call?.started === true) call.abort(reason);
    else refuse(handler, reason);
  }
}

function readRequest(runtime: OutboundRuntime, options: Dispatcher.DispatchOptions, origin: Origin) {
  if (runtime.closed) throw new MeshError('CLOSED', 'the mesh is closed');
  if (options.upgrade !== undefined && options.upgrade !== null && options.upgrade !== false)
    throw new MeshError('INVALID_REQUEST', 'upgrades (WebSocket) do not go through the mesh yet');
  const path = options.query === undefined ? options.path : pathWithQuery(options.path, options.query);
  checkRequestLine(options.method, path);
  const flat = runtime.flattener.flatten(options.headers);
  const body = readBody(options.body, flat);
  const authority = flat.host ?? origin.authority;
  const head = new OutboundHead(options.method, path, authority, origin.scheme, origin.port, flat.flat);
  return { head, body };
}

function readBody(body: RequestBody | undefined, headers: FlatHeaders): RequestBody {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return body;
  const form = encodeForm(body);
  if (form !== undefined) {
    headers.flat.push('content-type', form.contentType);
    return form.body;
  }
  checkBody(body);
  return body;
}

function isGrpc(head: OutboundHead): boolean {
  return head.method === 'POST' && head.header('content-type')?.startsWith('application/grpc') === true;
}

/** The hints alone: options of a dispatcher carry much else. */
const pickHints = ({ errors, idempotent, timeoutMs, onOutcome }: HttpCallHints): HttpCallHints => ({
  errors,
  idempotent,
  timeoutMs,
  onOutcome,
});

/** Refusals reach a handler as undici's own do: controller null, after no other callback. */
function refuse(handler: Dispatcher.DispatchHandler, error: Error): void {
  handler.onResponseError?.(null as unknown as Dispatcher.DispatchController, error);
}

interface Mirror {
  readonly cluster: string;
  readonly fraction: number;
  readonly head: OutboundHead;
  readonly call: ForwardedCall;
}

function mirrorHeads(call: ForwardedCall, head: OutboundHead): Mirror[] {
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

/** Fire and forget: no retries, no filters, the answer is thrown away (Envoy: request_mirror_policies). Streams are not mirrored. */
function startMirror(runtime: OutboundRuntime, origin: Origin, mirror: Mirror, body: RequestBody, nowMs: number): void {
  if (knownSizeBytes(body) < 0 || runtime.draws('mirror') >= mirror.fraction) return;
  const cluster = runtime.currentSnapshot().cluster(mirror.cluster);
  if (cluster === undefined) return;
  const { action } = mirror.call;
  const prepared: PreparedCall = {
    kind: 'forward',
    plan: mirror.call.plan,
    action: { ...action, retry: undefined, mirrors: [], hostRewrite: undefined, hostRewriteFrom: undefined },
    entry: undefined,
    cluster: runtime.states.of(cluster),
    filters: [],
    fixedEndpoint: undefined,
  };
  const call = new HttpCall(runtime, origin, mirror.head, body, SILENT, NO_HINTS, nowMs);
  call.start(prepared, undefined, nowMs);
}
