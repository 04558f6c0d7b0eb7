// From undici's dispatch options to a running call: checks the request, finds its route, starts it and its mirrors.
import { MeshError } from '../../errors.js';
import type { RequestContext } from '../../telemetry/request-context.js';
import { pathWithQuery, type Dispatcher } from '../../transport/undici.js';
import { OutboundHead } from '../exchange/outbound-head.js';
import { prepareCall, type PreparedCall } from '../prepare-call.js';
import type { Origin } from '../origin-table.js';
import type { OutboundRuntime } from '../runtime.js';
import { HttpCall, type HttpCallHints } from './http-call.js';
import { mirrorHeads, startMirror } from './mirror.js';
import { outboundPath } from '../outbound-path.js';
import { refuseCall } from './reply-delivery.js';
import { checkBody, encodeForm, type RequestBody } from './request-body.js';
import { checkRequestLine, type FlatHeaders } from './request-headers.js';

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
    const asked = readPath(runtime, options);
    const path = outboundPath(origin.listener, asked);
    const headers = runtime.flattener.flatten(options.headers);
    const body = readBody(options.body, headers);
    const { method } = options;
    const head = new OutboundHead(
      method,
      typeof path === 'string' ? path : asked,
      headers.host ?? origin.authority,
      origin.scheme,
      origin.port,
      headers.flat,
    );
    call = new HttpCall(runtime, origin, head, body, handler, isGrpc(head) ? grpcHints(hints) : hints, nowMs);
    const prepared: PreparedCall =
      typeof path === 'string'
        ? prepareCall(snapshot, runtime.states, runtime.draws, origin, head)
        : { kind: 'answer', plan: undefined, reply: path };
    if (mirrored(prepared)) startMirrored(runtime, origin, call, prepared, body, nowMs);
    else call.start(prepared, contextOf(runtime, prepared), nowMs);
  } catch (error) {
    const reason = error instanceof Error ? error : new MeshError('INTERNAL', String(error));
    if (call?.started === true) call.abort(reason);
    else refuseCall(handler, reason);
  }
}

function readPath(runtime: OutboundRuntime, options: Dispatcher.DispatchOptions): string {
  if (runtime.closed) throw new MeshError('CLOSED', 'the mesh is closed');
  if (options.upgrade !== undefined && options.upgrade !== null && options.upgrade !== false)
    throw new MeshError('INVALID_REQUEST', 'upgrades (WebSocket) do not go through the mesh yet');
  const path = options.query === undefined ? options.path : pathWithQuery(options.path, options.query);
  checkRequestLine(options.method, path);
  return path;
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
const grpcHints = (hints: HttpCallHints): HttpCallHints => ({
  errors: hints.errors,
  idempotent: hints.idempotent,
  timeoutMs: hints.timeoutMs,
  onOutcome: hints.onOutcome === undefined ? undefined : (call) => hints.onOutcome?.(call),
  grpc: true,
});

/** Only a call that may go out more than once needs a context where there is no inbound request: its copies share one request id and one trace. */
function contextOf(runtime: OutboundRuntime, prepared: PreparedCall): RequestContext | undefined {
  const { telemetry } = runtime;
  const context = telemetry.currentContext();
  if (context !== undefined || prepared.kind !== 'forward') return context;
  return prepared.action.retry === undefined && prepared.action.mirrors.length === 0
    ? undefined
    : telemetry.rootContext?.();
}

const mirrored = (prepared: PreparedCall): prepared is Extract<PreparedCall, { kind: 'forward' }> =>
  prepared.kind === 'forward' && prepared.action.mirrors.length > 0;

function startMirrored(
  runtime: OutboundRuntime,
  origin: Origin,
  call: HttpCall,
  prepared: Extract<PreparedCall, { kind: 'forward' }>,
  body: RequestBody,
  nowMs: number,
): void {
  // Mirrors get the head as the application wrote it, before filters and routes change it.
  const mirrors = mirrorHeads(prepared, call.head);
  const context = contextOf(runtime, prepared);
  call.start(prepared, context, nowMs);
  for (const mirror of mirrors) startMirror(runtime, origin, mirror, body, context, nowMs);
}
