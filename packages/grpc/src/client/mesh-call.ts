// One gRPC call: grpc-js's Call on one side, the mesh's Exchange on the other. The Exchange decides; this file moves events and bytes.
import { Metadata } from '@grpc/grpc-js';
import type { CallCredentials, ChannelInterface, Deadline, InterceptingListener } from '@grpc/grpc-js';
import type { IncomingHttpHeaders } from 'node:http2';
import {
  Exchange,
  OutboundHead,
  amendRequest,
  errorReply,
  httpToGrpcStatus,
  localReply,
  newRecord,
  recordRoute,
} from '@heddle/core/driver';
import type {
  AttemptFailure,
  CallRecord,
  ForwardedCall,
  LocalReply,
  RequestContext,
  Step,
  WheelNode,
} from '@heddle/core/driver';
import { AttemptStream, connectFailure } from './attempt-stream.js';
import type { AttemptOwner } from './attempt-stream.js';
import { attemptHeaders, flatHeaders, withoutTraceparent } from './call-headers.js';
import type { ChannelRuntime } from './channel-runtime.js';
import type { OpenSession } from './endpoint-sessions.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { grpcStatusOf, statusObject } from './status-headers.js';
import type { CallStatus } from './status-headers.js';

type GrpcCall = ReturnType<ChannelInterface['createCall']>;

class CallExchange extends Exchange {
  onCapacityFreed: () => void = () => undefined;
}

class CallTimer implements WheelNode {
  dueMs = Infinity;
  previousNode: WheelNode | undefined = undefined;
  nextNode: WheelNode | undefined = undefined;
  slot = -1;

  constructor(readonly onDue: (nowMs: number) => void) {}
}

export class MeshCall implements GrpcCall, AttemptOwner {
  readonly #runtime: ChannelRuntime;
  readonly #method: string;
  readonly #deadline: Deadline;
  readonly #authority: string;
  readonly #exchange: CallExchange;
  readonly #timer = new CallTimer((nowMs) => this.#onDue(nowMs));
  readonly #outbox = new Outbox();
  readonly #context: RequestContext | undefined;
  readonly #onAbort = () => this.cancelWithStatus(1, 'the request that this call was made for has ended');
  #credentials: CallCredentials | undefined;
  #inbox: Inbox | undefined;
  #call: ForwardedCall | undefined;
  #head: OutboundHead | undefined;
  #record: CallRecord | undefined;
  #attempt: AttemptStream | undefined;
  #ended = false;

  constructor(runtime: ChannelRuntime, method: string, deadline: Deadline, host: string | null | undefined) {
    const { outbound, telemetry } = runtime.internals;
    this.#runtime = runtime;
    this.#method = method;
    this.#deadline = deadline;
    this.#authority = host ?? runtime.authority;
    this.#context = telemetry.outbound.currentContext();
    this.#exchange = new CallExchange(outbound.scope);
    this.#exchange.onCapacityFreed = () => this.#step(this.#exchange.onCapacity(this.#nowMs()));
  }

  start(metadata: Metadata, listener: InterceptingListener): void {
    this.#inbox = new Inbox(listener, (flowing) => (flowing ? this.#attempt?.resume() : this.#attempt?.pause()));
    this.#context?.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#credentials === undefined) return this.#begin(metadata);
    const service = this.#method.slice(0, this.#method.lastIndexOf('/'));
    const options = { method_name: this.#method, service_url: `https://${this.#authority}${service}` };
    this.#credentials.generateMetadata(options).then(
      (extra) => {
        metadata.merge(extra);
        this.#begin(metadata);
      },
      (error: unknown) => this.#end({ code: 16, details: `call credentials failed: ${messageOf(error)}`, headers: {} }),
    );
  }

  sendMessageWithContext(context: Parameters<GrpcCall['sendMessageWithContext']>[0], message: Buffer): void {
    const { callback } = context;
    if (this.#ended) {
      if (callback !== undefined) process.nextTick(callback);
      return;
    }
    this.#outbox.push(message, callback && (() => callback()));
    this.#exchange.bodyReplayable = this.#outbox.replayable;
  }

  halfClose(): void {
    if (!this.#ended) this.#outbox.end();
  }

  startRead(): void {
    this.#inbox?.read();
  }

  cancelWithStatus(code: number, details: string): void {
    if (this.#ended) return;
    this.#exchange.cancel();
    this.#dropAttempt();
    this.#end({ code, details, headers: {} });
  }

  getPeer(): string {
    return this.#exchange.endpoint?.address ?? this.#runtime.authority;
  }

  getCallNumber(): number {
    return 0;
  }

  setCredentials(credentials: CallCredentials): void {
    this.#credentials = credentials;
  }

  getAuthContext(): null {
    return null;
  }

  onAttemptHeaders(attempt: AttemptStream, headers: IncomingHttpHeaders, trailersOnly: boolean): void {
    const status = Number(headers[':status'] ?? 0);
    const own = grpcStatusOf(headers);
    const grpcStatus = own >= 0 || status === 200 ? own : httpToGrpcStatus(status);
    const header = (name: string) => headers[name]?.toString();
    const step = this.#exchange.onHeaders(status, grpcStatus, { header }, this.#nowMs());
    if (step !== 'deliver') return this.#step(step);
    this.#outbox.forget();
    this.#arm();
    if (status !== 200 && own < 0) {
      attempt.drop();
      this.#exchange.onEnd(-1, this.#nowMs());
      this.#end({ code: grpcStatus, details: `the server answered with HTTP status ${status}`, headers: {} });
    } else if (!trailersOnly) this.#inbox?.begin(Metadata.fromHttp2Headers(headers));
    else this.#trailersOnly = true;
  }

  #trailersOnly = false;

  onAttemptMessage(message: Buffer): void {
    if (this.#record !== undefined) this.#record.responseBytes += message.length;
    this.#inbox?.push(message);
  }

  onAttemptEnd(status: CallStatus): void {
    // The status of a trailers-only answer was told with its head.
    this.#exchange.onEnd(this.#trailersOnly ? -1 : status.code, this.#nowMs());
    this.#end(status);
  }

  onAttemptFailure(_attempt: AttemptStream, failure: AttemptFailure, cause: string): void {
    this.#step(this.#exchange.onFailure(failure, this.#nowMs(), cause));
  }

  #nowMs(): number {
    return this.#runtime.internals.clock.nowMs();
  }

  #begin(metadata: Metadata): void {
    if (this.#ended) return;
    const { host, port, internals, closed } = this.#runtime;
    const nowMs = this.#nowMs();
    const head = new OutboundHead('POST', this.#method, this.#authority, 'http', port, flatHeaders(metadata));
    const prepared = internals.outbound.prepareCall(head, host, port);
    this.#head = head;
    this.#record = newRecord('grpc', head, nowMs);
    recordRoute(this.#record, prepared);
    if (closed) return this.#reply(localReply('CLOSED', { body: 'the channel is closed' }));
    if (prepared.kind === 'answer') return this.#reply(prepared.reply);
    this.#call = prepared;
    const hints = { grpc: true, idempotent: this.#isIdempotent(prepared), timeoutMs: this.#timeoutMs() };
    if (hints.timeoutMs !== undefined && hints.timeoutMs <= 0) return this.#reply(localReply('DEADLINE_EXCEEDED'));
    this.#step(this.#exchange.begin(internals.outbound.planCall(prepared, head, hints, this.#context, nowMs), nowMs));
  }

  #isIdempotent({ action }: ForwardedCall): boolean {
    return this.#runtime.idempotent || (action.retry?.conditions.grpcCodes.length ?? 0) > 0;
  }

  /** What is left of the client's own deadline, which is wall time. */
  #timeoutMs(): number | undefined {
    const atWallMs = this.#deadline instanceof Date ? this.#deadline.getTime() : this.#deadline;
    return Number.isFinite(atWallMs) ? atWallMs - this.#runtime.internals.clock.wallMs() : undefined;
  }

  #step(step: Step): void {
    switch (step) {
      case 'send':
        this.#dropAttempt();
        this.#arm();
        this.#open();
        break;
      case 'wait':
        this.#dropAttempt();
        this.#arm();
        this.#awaitFilter();
        break;
      case 'reply':
      case 'fail':
        this.#dropAttempt();
        this.#reply(this.#exchange.reply ?? localReply('INTERNAL'));
        break;
      case 'deliver':
      case 'none':
        break;
    }
  }

  #awaitFilter(): void {
    const settle = (action: Parameters<Exchange['onFilterResult']>[0]) =>
      this.#step(this.#exchange.onFilterResult(action, this.#nowMs()));
    this.#exchange.pendingFilter?.then(settle, () => settle(errorReply('INTERNAL', 'filter_failed')));
  }

  #arm(): void {
    this.#runtime.internals.outbound.wheel.set(this.#timer, this.#exchange.timerAtMs, this.#nowMs());
  }

  #onDue(nowMs: number): void {
    if (nowMs < this.#exchange.timerAtMs) this.#arm();
    else this.#step(this.#exchange.onTimer(nowMs));
  }

  /** Gets a session to the chosen endpoint, then sends on it, unless the Exchange has moved on meanwhile. */
  #open(): void {
    const { endpoint, attempts } = this.#exchange;
    if (endpoint === undefined || this.#call === undefined) return;
    const isCurrent = () => this.#exchange.phase === 'sending' && this.#exchange.attempts === attempts;
    const failed = (error: unknown) => {
      if (isCurrent()) this.#step(this.#exchange.onFailure(connectFailure(error), this.#nowMs(), messageOf(error)));
    };
    const session = this.#runtime.sessions.sessionFor(this.#call.cluster.snapshot, endpoint);
    const sent = (open: OpenSession) => {
      if (!isCurrent()) return;
      try {
        this.#send(open);
      } catch (error) {
        failed(error);
      }
    };
    if (session instanceof Promise) session.then(sent, failed);
    else sent(session);
  }

  #send(open: OpenSession): void {
    const { internals, maxReceiveMessageBytes } = this.#runtime;
    const [head, record, call, endpoint] = [this.#head, this.#record, this.#call, this.#exchange.endpoint];
    if (head === undefined || record === undefined || call === undefined || endpoint === undefined) return;
    if (this.#exchange.attempts === 1) this.#amend(call, head);
    record.peerPrincipal = open.peerPrincipal;
    record.upstreamAddress = endpoint.address;
    const span = internals.telemetry.outbound.startAttemptSpan(record, this.#context, this.#exchange.attempts);
    const flat = withoutTraceparent(head.headers);
    if (call.action.includeAttemptCount === true) flat.push('x-envoy-attempt-count', String(this.#exchange.attempts));
    record.requestId = internals.telemetry.outbound.writeHeaders(flat, this.#context, span, (name) =>
      head.header(name),
    );
    const leftMs = Math.min(this.#exchange.deadlineMs, this.#exchange.tryDeadlineMs) - this.#nowMs();
    const scheme = call.cluster.snapshot.tlsFor(endpoint.endpoint) === undefined ? 'http' : 'https';
    const path = call.action.rewritePath?.(head.path) ?? head.path;
    const headers = attemptHeaders(flat, path, authorityFor(call, endpoint.endpoint.hostname, head), scheme, leftMs);
    this.#attempt = new AttemptStream(this, open.session, headers, maxReceiveMessageBytes, span);
    this.#outbox.attach(this.#attempt);
  }

  /** Once per call, after the filters (Envoy: the router applies header operations of weighted cluster, then route). */
  #amend({ entry, plan, cluster }: ForwardedCall, head: OutboundHead): void {
    const context = {
      head,
      responseHeader: undefined,
      upstreamAddress: this.#exchange.endpoint?.address,
      upstreamCluster: cluster.name,
      downstreamAddress: undefined,
      wallMs: this.#runtime.internals.clock.wallMs(),
    };
    for (const operations of [entry?.requestHeaders, plan?.requestHeaders])
      if (operations !== undefined) amendRequest(operations, head, context);
  }

  #dropAttempt(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#outbox.detach();
    attempt?.drop();
    attempt?.span?.end({
      status: 0,
      grpcStatus: -1,
      flags: this.#exchange.flags,
      upstreamAddress: this.#record?.upstreamAddress ?? '',
      error: undefined,
    });
  }

  #reply(reply: LocalReply): void {
    const { body, status, details } = reply;
    const code = reply.grpcStatus ?? httpToGrpcStatus(status);
    if (this.#record !== undefined) this.#record.details = details;
    this.#end({
      code,
      details: body === '' ? `the mesh answered ${status}: ${details}` : body,
      headers: Object.fromEntries(reply.headers),
    });
  }

  #end(status: CallStatus): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#runtime.internals.outbound.wheel.set(this.#timer, Infinity, this.#nowMs());
    this.#context?.signal?.removeEventListener('abort', this.#onAbort);
    this.#outbox.release();
    this.#account(status);
    this.#attempt = undefined;
    // Never within a call of the client's own (start, cancel), as grpc-js does it.
    process.nextTick(() => this.#inbox?.end(statusObject(status)));
  }

  #account({ code, details }: CallStatus): void {
    const { telemetry } = this.#runtime.internals;
    const [record, exchange] = [this.#record, this.#exchange];
    if (record === undefined) return;
    record.endMs = this.#nowMs();
    record.status = 200;
    record.grpcStatus = code;
    record.flags = exchange.flags;
    record.attempts = exchange.attempts;
    record.requestBytes = this.#outbox.sentBytes;
    record.destinationWorkload = exchange.endpoint?.endpoint.workload ?? '';
    if (record.details === '') record.details = 'via_upstream';
    const { upstreamAddress, flags } = record;
    this.#attempt?.span?.end({
      status: 200,
      grpcStatus: code,
      flags,
      upstreamAddress,
      error: code === 0 ? undefined : details,
    });
    telemetry.outbound.finish(record);
  }
}

function authorityFor({ action, entry }: ForwardedCall, hostname: string | undefined, head: OutboundHead): string {
  if (entry?.hostRewrite !== undefined) return entry.hostRewrite;
  if (typeof action.hostRewrite === 'string') return action.hostRewrite;
  if (action.hostRewrite !== undefined) return hostname ?? head.authority;
  return action.hostRewriteFrom?.(head) ?? head.authority;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
