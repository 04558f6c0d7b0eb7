// One inbound gRPC call on its way: policies in order with their delays and pending decisions, then the handler, then one finished record.
import { Metadata } from '@grpc/grpc-js';
import type { Responder, ServerInterceptingCallInterface, ServerListener } from '@grpc/grpc-js';
import { MeshError, errorReply, httpToGrpcStatus } from '@heddle/core/driver';
import type {
  CallRecord,
  FilterAction,
  HttpFilter,
  InboundConnection,
  MeshInternals,
  ReplyAction,
  RequestContext,
  SpanHandle,
  Timer,
} from '@heddle/core/driver';
import { statusCode } from '../status-code.js';
import { setCallInfo } from './call-info.js';
import { cleanMetadata } from './clean-metadata.js';
import { GrpcRequest } from './grpc-request.js';
import { newInboundRecord } from './inbound-record.js';

type Internals = Pick<MeshInternals, 'clock' | 'draws' | 'security' | 'snapshot' | 'telemetry'>;
type Delay = Extract<FilterAction, { kind: 'delay' }>;

export class InboundCall {
  readonly #internals: Internals;
  readonly #connection: InboundConnection;
  readonly #call: ServerInterceptingCallInterface;
  readonly #record: CallRecord;
  readonly #abort = new AbortController();
  readonly #responseHeaders: (readonly [string, string])[] = [];
  #context: RequestContext | undefined;
  #span: SpanHandle | undefined;
  #waiting: { readonly timer: Timer; readonly onDone: (() => void) | undefined } | undefined;
  #deadline: Timer | undefined;
  #ended = false;

  constructor(
    internals: Internals,
    connection: InboundConnection,
    path: string,
    call: ServerInterceptingCallInterface,
  ) {
    this.#internals = internals;
    this.#connection = connection;
    this.#call = call;
    this.#record = newInboundRecord(connection, path, call.getHost(), internals.clock.nowMs());
    connection.requestsInFlight++;
  }

  /** What the interceptor puts between grpc-js and the handler. Everything that reaches the handler runs in the call's context. */
  responder(): Responder {
    return {
      start: (next) => next(this.#listener()),
      sendMetadata: (metadata, next) => {
        for (const [name, value] of this.#responseHeaders) metadata.set(name, value);
        next(metadata);
      },
      sendStatus: (status, next) => {
        this.#end(status.code);
        next(status);
      },
    };
  }

  #listener(): ServerListener {
    return {
      onReceiveMetadata: (metadata, next) => this.#admit(metadata, () => this.#inContext(() => next(metadata))),
      onReceiveMessage: (message, next) => this.#inContext(() => next(message)),
      onReceiveHalfClose: (next) => this.#inContext(next),
      onCancel: () => this.#onCancel(),
    };
  }

  #inContext(body: () => void): void {
    if (this.#ended) return;
    const { inbound } = this.#internals.telemetry;
    if (this.#context === undefined) body();
    else inbound.run(this.#context, this.#span, body);
  }

  #admit(metadata: Metadata, next: () => void): void {
    const { snapshot, telemetry, clock } = this.#internals;
    const connection = this.#connection;
    // The acceptor has held back connections while configuration is awaited; from then on there is some.
    const admitted = connection.admission(snapshot(), false);
    if (admitted.kind === 'refuse' || connection.revoked) {
      this.#reply(errorReply('DENIED', 'connection_revoked'));
      return;
    }
    const handler = admitted.kind === 'chain' ? admitted.chain.handler : undefined;
    const http = handler?.kind === 'http' ? handler.http : undefined;
    cleanMetadata(metadata, connection, http?.forwardClientCert ?? 'sanitize', []);
    const request = new GrpcRequest(metadata, connection, this.#record.path, this.#record.authority);
    const route = http === undefined ? OPEN : http.filtersFor(request);
    const nowMs = clock.nowMs();
    const latestMs = this.#latestMs(nowMs, route?.timeoutMs ?? 0);
    const context = telemetry.inbound.contextFor(request, nowMs, this.#abort, latestMs);
    this.#watch(context.deadlineMs, nowMs);
    this.#context = context;
    this.#record.requestId = context.requestId;
    if (connection.peer !== undefined) this.#record.peerMetadata = request.header('x-envoy-peer-metadata') ?? '';
    this.#span = telemetry.inbound.startServerSpan(this.#record, context);
    if (route === undefined) return this.#reply(errorReply('NO_ROUTE', 'route_not_found'));
    this.#record.routeName = route.routeName;
    const { requestId, deadlineMs } = context;
    setCallInfo(metadata, { peer: connection.peer, requestId, deadlineMs, signal: this.#abort.signal, context });
    this.#filter(request, route.filters, 0, next);
  }

  #filter(request: GrpcRequest, filters: readonly HttpFilter[], from: number, then: () => void): void {
    const { clock, draws } = this.#internals;
    for (let i = from; i < filters.length; i++) {
      if (this.#ended) return;
      let action: FilterAction | undefined;
      try {
        action = filters[i]?.decide(request, { draw: draws, nowMs: clock.nowMs(), wallMs: clock.wallMs() });
      } catch (error) {
        return this.#failClosed(error);
      }
      if (!this.#apply(action, request, () => this.#filter(request, filters, i + 1, then))) return;
    }
    if (!this.#ended) then();
  }

  /** True: go on at once. False: the call is answered, or `resume` is called later. */
  #apply(action: FilterAction | undefined, request: GrpcRequest, resume: () => void): boolean {
    if (action === undefined) return true;
    switch (action.kind) {
      case 'reply':
        this.#reply(action);
        return false;
      case 'amend':
        for (const name of action.removeRequestHeaders) request.metadata.remove(name);
        for (const [name, value] of action.setRequestHeaders) request.metadata.set(name, value);
        this.#responseHeaders.push(...action.setResponseHeaders);
        if (action.dynamicMetadata !== undefined) request.addMetadata(action.dynamicMetadata);
        return true;
      case 'delay':
        this.#delay(action, resume);
        return false;
      case 'pending':
        action.result.then(
          (later) => {
            if (!this.#ended && this.#apply(later, request, resume)) resume();
          },
          (error: unknown) => this.#failClosed(error),
        );
        return false;
    }
  }

  #delay(action: Delay, resume: () => void): void {
    this.#flag(action.flag);
    const timer = this.#internals.clock.after(action.delayMs, () => {
      this.#endDelay();
      if (action.thenReply === undefined) resume();
      else this.#reply(action.thenReply);
    });
    this.#waiting = { timer, onDone: action.onDone };
  }

  #endDelay(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.timer.cancel();
    waiting?.onDone?.();
  }

  /** A filter that fails never lets a call through. */
  #failClosed(error: unknown): void {
    this.#reply(errorReply(MeshError.is(error) ? error.code : 'INTERNAL', 'filter_failed'));
  }

  #reply(reply: ReplyAction): void {
    if (this.#ended) return;
    const code = reply.grpcStatus ?? httpToGrpcStatus(reply.status);
    this.#flag(reply.flag);
    this.#record.details = reply.details;
    const metadata = new Metadata();
    for (const [name, value] of [...this.#responseHeaders, ...reply.headers]) metadata.set(name, value);
    this.#end(code);
    this.#call.sendStatus({ code: statusCode(code), details: reply.body, metadata });
  }

  /** The client's own deadline, which is wall time, or the route's; ours is monotonic. */
  #latestMs(nowMs: number, routeTimeoutMs: number): number | undefined {
    const asked = this.#call.getDeadline();
    const leftMs = (asked instanceof Date ? asked.getTime() : asked) - this.#internals.clock.wallMs();
    const latestMs = nowMs + Math.min(leftMs, routeTimeoutMs > 0 ? routeTimeoutMs : Infinity);
    return Number.isFinite(latestMs) ? latestMs : undefined;
  }

  #watch(deadlineMs: number | undefined, nowMs: number): void {
    if (deadlineMs === undefined) return;
    this.#deadline = this.#internals.clock.after(Math.max(0, deadlineMs - nowMs), () =>
      this.#abort.abort(new MeshError('DEADLINE_EXCEEDED', 'the caller’s deadline passed')),
    );
  }

  #onCancel(): void {
    if (this.#ended) return;
    this.#flag('DC');
    this.#record.details = 'downstream_remote_disconnect';
    this.#abort.abort(new MeshError('CANCELLED', 'the caller went away'));
    this.#end(1);
  }

  #flag(flag: string): void {
    if (flag === '' || flag === '-') return;
    this.#record.flags = this.#record.flags === '' ? flag : `${this.#record.flags},${flag}`;
  }

  #end(grpcStatus: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endDelay();
    this.#deadline?.cancel();
    const [record, connection] = [this.#record, this.#connection];
    connection.requestsInFlight--;
    record.endMs = this.#internals.clock.nowMs();
    record.status = 200;
    record.grpcStatus = grpcStatus;
    this.#span?.end({ status: 200, grpcStatus, flags: record.flags, upstreamAddress: '', error: undefined });
    this.#internals.telemetry.inbound.finish(record);
    if (connection.revoked && connection.requestsInFlight === 0) setImmediate(() => connection.socket.destroySoon());
  }
}

const OPEN = { routeName: '', filters: [] as readonly HttpFilter[], timeoutMs: 0 };
