// One inbound request on its way: filters in order with their delays and pending decisions, then the application, then one finished record.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../clock.js';
import type { Draws } from '../../draws.js';
import { MeshError } from '../../errors.js';
import type { FilterAction, FilterContext, HttpFilter, ReplyAction } from '../../filters/http-filter.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { InboundTelemetry, SpanHandle } from '../../telemetry/call-telemetry.js';
import type { RequestContext } from '../../telemetry/request-context.js';
import type { InboundConnection } from '../inbound-connection.js';
import type { InboundEventSink } from '../inbound-event.js';
import { addFlag, closeCallRecord, newCallRecord } from './inbound-call.js';
import type { InboundRequest } from './inbound-request.js';
import { errorReply, isGrpc, sendReply } from './local-reply.js';
import { removeHeaders, setHeader } from './request-headers.js';

export interface ExchangeTools {
  readonly telemetry: InboundTelemetry;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly onEvent: InboundEventSink;
}

type Delay = Extract<FilterAction, { kind: 'delay' }>;
type Amend = Extract<FilterAction, { kind: 'amend' }>;

export class InboundExchange {
  readonly call: CallRecord;
  readonly #abort = new AbortController();
  readonly #bytesWrittenBefore: number;
  #span: SpanHandle | undefined;
  #waiting: { readonly timer: Timer; readonly onDone: (() => void) | undefined } | undefined;
  #deadline: Timer | undefined;
  #ended = false;

  constructor(
    private readonly tools: ExchangeTools,
    private readonly message: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly connection: InboundConnection,
    /** Called once, when the response is complete or its caller gone. */
    private readonly onEnd: () => void,
  ) {
    this.call = newCallRecord(message, connection, tools.clock.nowMs());
    this.#bytesWrittenBefore = connection.socket.bytesWritten;
    connection.requestsInFlight++;
    response.once('close', () => this.#end());
  }

  /** Aborted when the caller goes away or the deadline passes. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Answers without the application. */
  reply(reply: ReplyAction): void {
    if (this.#ended) return;
    this.call.flags = addFlag(this.call.flags, reply.flag);
    this.call.details = reply.details;
    this.call.grpcStatus = sendReply(this.response, reply, isGrpc(this.message.headers['content-type']));
  }

  /** Runs the filters, then `application` inside the request's context. */
  run(request: InboundRequest, filters: readonly HttpFilter[], context: RequestContext, application: () => void): void {
    this.call.requestId = context.requestId;
    this.#span = this.tools.telemetry.startServerSpan(this.call, context);
    this.#startDeadline(context.deadlineMs);
    this.#filter(request, filters, 0, () => this.#serve(context, application));
  }

  #filter(request: InboundRequest, filters: readonly HttpFilter[], from: number, then: () => void): void {
    const { clock, draws } = this.tools;
    for (let i = from; i < filters.length; i++) {
      if (this.#ended) return;
      const context: FilterContext = { draw: draws, nowMs: clock.nowMs(), wallMs: clock.wallMs() };
      let action: FilterAction | undefined;
      try {
        action = filters[i]?.decide(request, context);
      } catch (error) {
        this.#failClosed(error);
        return;
      }
      if (!this.#apply(action, request, () => this.#filter(request, filters, i + 1, then))) return;
    }
    if (!this.#ended) then();
  }

  /** True: go on at once. False: the exchange is answered, or `resume` is called later. */
  #apply(action: FilterAction | undefined, request: InboundRequest, resume: () => void): boolean {
    if (action === undefined) return true;
    switch (action.kind) {
      case 'reply':
        this.reply(action);
        return false;
      case 'amend':
        this.#amend(action, request);
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

  #amend(action: Amend, request: InboundRequest): void {
    if (action.removeRequestHeaders.length > 0)
      removeHeaders(this.message, (name) => action.removeRequestHeaders.includes(name));
    for (const [name, value] of action.setRequestHeaders) setHeader(this.message, name.toLowerCase(), value);
    for (const [name, value] of action.setResponseHeaders) this.response.setHeader(name, value);
    if (action.dynamicMetadata !== undefined) request.addMetadata(action.dynamicMetadata);
  }

  #delay(action: Delay, resume: () => void): void {
    this.call.flags = addFlag(this.call.flags, action.flag);
    const timer = this.tools.clock.after(action.delayMs, () => {
      this.#endDelay();
      if (action.thenReply === undefined) resume();
      else this.reply(action.thenReply);
    });
    this.#waiting = { timer, onDone: action.onDone };
  }

  #endDelay(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.timer.cancel();
    waiting?.onDone?.();
  }

  /** A filter that fails never lets a request through. */
  #failClosed(error: unknown): void {
    this.tools.onEvent({ kind: 'application-error', method: this.call.method, error });
    this.reply(errorReply(MeshError.is(error) ? error.code : 'INTERNAL', 'filter_failed'));
  }

  /** What the application throws, at once or as a promise, ends this request only. */
  #serve(context: RequestContext, application: () => unknown): void {
    const failed = (error: unknown): void => {
      this.tools.onEvent({ kind: 'application-error', method: this.call.method, error });
      this.reply(errorReply(MeshError.is(error) ? error.code : 'INTERNAL', 'application_error'));
    };
    try {
      const result = this.tools.telemetry.run(context, this.#span, application);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #startDeadline(deadlineMs: number | undefined): void {
    if (deadlineMs === undefined) return;
    const leftMs = Math.max(0, deadlineMs - this.tools.clock.nowMs());
    this.#deadline = this.tools.clock.after(leftMs, () =>
      this.#abort.abort(new MeshError('DEADLINE_EXCEEDED', 'the caller’s deadline passed')),
    );
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { connection, response, call } = this;
    this.#endDelay();
    this.#deadline?.cancel();
    connection.requestsInFlight--;
    closeCallRecord(call, response, connection, this.#bytesWrittenBefore, this.tools.clock.nowMs());
    if (!response.writableFinished) this.#abort.abort(new MeshError('CANCELLED', 'the caller went away'));
    const { status, grpcStatus, flags } = call;
    this.#span?.end({ status, grpcStatus, flags, upstreamAddress: '', error: undefined });
    this.tools.telemetry.finish(call);
    this.onEnd();
    if (connection.revoked && connection.requestsInFlight === 0) connection.socket.destroySoon();
  }
}
