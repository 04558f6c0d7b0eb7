// One inbound request on its way: filters in order with their delays and pending decisions, then the application, then one finished record.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../clock.js';
import type { Draws } from '../../draws.js';
import { MeshError } from '../../errors.js';
import type { FilterAction, FilterContext, HttpFilter, ReplyAction } from '../../filters/http-filter.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { InboundTelemetry, SignalSource, SpanHandle } from '../../telemetry/call-telemetry.js';
import type { RequestContext } from '../../telemetry/request-context.js';
import type { InboundConnection } from '../inbound-connection.js';
import type { InboundEventSink } from '../inbound-event.js';
import type { ActiveExchanges } from './active-exchanges.js';
import { addFlag, closeCallRecord, newCallRecord } from './inbound-call.js';
import type { InboundRequest } from './inbound-request.js';
import { errorReply, sendReply } from './local-reply.js';
import { removeHeaders, setHeader } from './request-headers.js';

export interface ExchangeTools {
  readonly telemetry: InboundTelemetry;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly onEvent: InboundEventSink;
}

type Delay = Extract<FilterAction, { kind: 'delay' }>;
type Amend = Extract<FilterAction, { kind: 'amend' }>;

export class InboundExchange implements SignalSource {
  readonly call: CallRecord;
  // Links of the list of active exchanges.
  previous: InboundExchange | undefined = undefined;
  next: InboundExchange | undefined = undefined;
  readonly #tools: ExchangeTools;
  readonly #active: ActiveExchanges;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #connection: InboundConnection;
  #request: InboundRequest | undefined = undefined;
  #filters: readonly HttpFilter[] = NO_FILTERS;
  #context: RequestContext | undefined = undefined;
  #application: (() => unknown) | undefined = undefined;
  #span: SpanHandle | undefined = undefined;
  #waiting: { readonly timer: Timer; readonly onDone: (() => void) | undefined } | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #deadline: Timer | undefined = undefined;
  #ended = false;

  constructor(
    tools: ExchangeTools,
    message: IncomingMessage,
    response: ServerResponse,
    connection: InboundConnection,
    active: ActiveExchanges,
  ) {
    this.#tools = tools;
    this.#message = message;
    this.#response = response;
    this.#connection = connection;
    this.#active = active;
    this.call = newCallRecord(message, connection, tools.clock.nowMs());
    connection.requestsInFlight++;
    active.add(this);
    // 'close' comes in every case: after the last byte, and when the caller goes away. `on`, since `once` costs a wrapper.
    response.on('close', () => this.#end());
  }

  /** Aborted when the caller goes away or the deadline passes. Made, and the deadline watched, only when somebody asks for it. */
  get signal(): AbortSignal {
    if (this.#abort !== undefined) return this.#abort.signal;
    this.#abort = new AbortController();
    if (!this.#ended) this.#startDeadline(this.#context?.deadlineMs);
    else if (!this.#response.writableFinished) this.#abort.abort(gone());
    return this.#abort.signal;
  }

  /** This response's connection closes after it. */
  closeAfter(): void {
    if (!this.#response.headersSent) this.#response.setHeader('connection', 'close');
  }

  /** Answers without the application. */
  reply(reply: ReplyAction): void {
    if (this.#ended) return;
    this.call.flags = addFlag(this.call.flags, reply.flag);
    this.call.details = reply.details;
    this.call.grpcStatus = sendReply(this.#response, reply, this.call.protocol === 'grpc');
  }

  /** Runs the filters, then `application` inside the request's context. */
  run(
    request: InboundRequest,
    filters: readonly HttpFilter[],
    context: RequestContext,
    application: () => unknown,
  ): void {
    this.#request = request;
    this.#filters = filters;
    this.#context = context;
    this.#application = application;
    const { telemetry } = this.#tools;
    if (telemetry.readsRequestId?.() !== false) this.call.requestId = context.requestId;
    this.#span = telemetry.startServerSpan(this.call, context);
    this.#filter(0);
  }

  #filter(from: number): void {
    const request = this.#request;
    if (this.#ended || request === undefined) return;
    const filters = this.#filters;
    if (from < filters.length) {
      const moment = new FilterMoment(this.#tools, from === 0 ? this.call.startMs : this.#tools.clock.nowMs());
      for (let i = from; i < filters.length; i++) {
        let action: FilterAction | undefined;
        try {
          action = filters[i]?.decide(request, moment);
        } catch (error) {
          this.#failClosed(error);
          return;
        }
        if (action !== undefined && !this.#apply(action, request, i + 1)) return;
      }
    }
    this.#serve();
  }

  /** True: go on at once. False: the exchange is answered, or goes on later with the filter at `next`. */
  #apply(action: FilterAction, request: InboundRequest, next: number): boolean {
    switch (action.kind) {
      case 'reply':
        this.reply(action);
        return false;
      case 'amend':
        this.#amend(action, request);
        return true;
      case 'delay':
        this.#delay(action, next);
        return false;
      case 'pending':
        action.result.then(
          (later) => {
            if (!this.#ended && (later === undefined || this.#apply(later, request, next))) this.#filter(next);
          },
          (error: unknown) => this.#failClosed(error),
        );
        return false;
    }
  }

  #amend(action: Amend, request: InboundRequest): void {
    if (action.removeRequestHeaders.length > 0)
      removeHeaders(this.#message, (name) => action.removeRequestHeaders.includes(name));
    for (const [name, value] of action.setRequestHeaders) setHeader(this.#message, name.toLowerCase(), value);
    for (const [name, value] of action.setResponseHeaders) this.#response.setHeader(name, value);
    if (action.dynamicMetadata !== undefined) request.addMetadata(action.dynamicMetadata);
  }

  #delay(action: Delay, next: number): void {
    this.call.flags = addFlag(this.call.flags, action.flag);
    const timer = this.#tools.clock.after(action.delayMs, () => {
      this.#endDelay();
      if (action.thenReply === undefined) this.#filter(next);
      else this.reply(action.thenReply);
    });
    this.#waiting = { timer, onDone: action.onDone };
  }

  #endDelay(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    waiting.timer.cancel();
    waiting.onDone?.();
  }

  /** What fails before the filters ran (a defect in reading or routing) never lets a request through, and never ends the process. */
  refuseDefect(error: unknown): void {
    this.#failed(error, 'request_not_judged');
  }

  /** A filter that fails never lets a request through. */
  #failClosed(error: unknown): void {
    this.#failed(error, 'filter_failed');
  }

  #failed(error: unknown, details: string): void {
    this.#tools.onEvent({ kind: 'application-error', method: this.call.method, error });
    this.reply(errorReply(MeshError.is(error) ? error.code : 'INTERNAL', details));
  }

  /** What the application throws, at once or as a promise, ends this request only. */
  #serve(): void {
    const application = this.#application;
    const context = this.#context;
    if (application === undefined || context === undefined) return;
    try {
      const result = this.#tools.telemetry.run(context, this.#span, application);
      if (result instanceof Promise) result.catch((error: unknown) => this.#failed(error, 'application_error'));
    } catch (error) {
      this.#failed(error, 'application_error');
    }
  }

  #startDeadline(deadlineMs: number | undefined): void {
    if (deadlineMs === undefined) return;
    const leftMs = Math.max(0, deadlineMs - this.#tools.clock.nowMs());
    this.#deadline = this.#tools.clock.after(leftMs, () =>
      this.#abort?.abort(new MeshError('DEADLINE_EXCEEDED', 'the caller’s deadline passed')),
    );
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const connection = this.#connection;
    const { call } = this;
    this.#endDelay();
    this.#deadline?.cancel();
    connection.requestsInFlight--;
    closeCallRecord(call, this.#response, connection, this.#tools.clock.nowMs());
    if (this.#abort !== undefined && !this.#response.writableFinished) this.#abort.abort(gone());
    if (this.#span !== undefined) {
      const { status, grpcStatus, flags } = call;
      this.#span.end({ status, grpcStatus, flags, upstreamAddress: '', error: undefined });
    }
    this.#tools.telemetry.finish(call);
    this.#active.remove(this);
    // What outlives the request, such as a timer that it started, keeps the exchange through its context, but not what belonged to the request.
    this.#request = this.#application = this.#span = undefined;
    this.#filters = NO_FILTERS;
    if ((connection.revoked || connection.closing) && connection.requestsInFlight === 0)
      connection.socket.destroySoon();
  }
}

const NO_FILTERS: readonly HttpFilter[] = [];

const gone = (): MeshError => new MeshError('CANCELLED', 'the caller went away');

/** The time at which filters decide. */
class FilterMoment implements FilterContext {
  readonly draw: Draws;

  constructor(
    private readonly tools: ExchangeTools,
    readonly nowMs: number,
  ) {
    this.draw = tools.draws;
  }

  get wallMs(): number {
    return this.tools.clock.wallMs();
  }
}
