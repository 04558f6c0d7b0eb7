// The context of an inbound request, read from its headers part by part when it is first asked for: most requests need few of the parts, many none.
import type { RequestHead } from '../../request-head.js';
import type { SignalSource } from '../call-telemetry.js';
import type { RequestContext, TraceParent } from '../request-context.js';
import { remainingMsOf } from './deadline-headers.js';
import {
  type ExtractOptions,
  b3Of,
  baggageOf,
  forwardedOf,
  freshTrace,
  requestIdOf,
  traceOfB3,
} from './extract-context.js';
import { parseTraceparent } from './traceparent.js';
import { parseTracestate } from './tracestate.js';

/** Never throws, whatever the headers hold. */
export class InboundContext implements RequestContext {
  readonly #head: Pick<RequestHead, 'header'>;
  readonly #nowMs: number;
  readonly #latestMs: number | undefined;
  readonly #source: SignalSource | undefined;
  readonly #options: ExtractOptions;
  #requestId: string | undefined = undefined;
  #deadlineMs: number | undefined | null = null;
  #baggage: string | undefined | null = null;
  #forwarded: readonly string[] | undefined = undefined;
  #traceRead = false;
  #trace: TraceParent | undefined = undefined;
  #traceState: string | undefined = undefined;
  #b3: RequestContext['b3'] = undefined;
  #b3Debug = false;

  /** `latestMs`: a deadline besides the caller's own. */
  constructor(
    head: Pick<RequestHead, 'header'>,
    nowMs: number,
    latestMs: number | undefined,
    source: SignalSource | undefined,
    options: ExtractOptions,
  ) {
    this.#head = head;
    this.#nowMs = nowMs;
    this.#latestMs = latestMs;
    this.#source = source;
    this.#options = options;
  }

  get requestId(): string {
    return (this.#requestId ??= requestIdOf(this.#head.header('x-request-id'), this.#options.ids));
  }

  get trace(): TraceParent | undefined {
    if (!this.#traceRead) this.#readTrace();
    return this.#trace;
  }

  get traceState(): string | undefined {
    if (!this.#traceRead) this.#readTrace();
    return this.#traceState;
  }

  get b3(): RequestContext['b3'] {
    if (!this.#traceRead) this.#readTrace();
    return this.#b3;
  }

  get b3Debug(): boolean {
    if (!this.#traceRead) this.#readTrace();
    return this.#b3Debug;
  }

  get baggage(): string | undefined {
    if (this.#baggage === null) this.#baggage = baggageOf(this.#head.header('baggage'));
    return this.#baggage;
  }

  get deadlineMs(): number | undefined {
    if (this.#deadlineMs === null) this.#deadlineMs = this.#readDeadline();
    return this.#deadlineMs;
  }

  get signal(): AbortSignal | undefined {
    return this.#source?.signal;
  }

  get forwarded(): readonly string[] {
    return (this.#forwarded ??= forwardedOf(this.#header, this.#options.forwardHeaders));
  }

  get #header(): (name: string) => string | undefined {
    return (name) => this.#head.header(name);
  }

  #readDeadline(): number | undefined {
    const remainingMs = remainingMsOf(this.#header);
    if (remainingMs === undefined) return this.#latestMs;
    return Math.min(this.#nowMs + remainingMs, this.#latestMs ?? Infinity);
  }

  #readTrace(): void {
    const options = this.#options;
    const w3c = parseTraceparent(this.#head.header('traceparent'));
    const b3 = b3Of(this.#header);
    this.#traceRead = true;
    this.#trace = w3c ?? traceOfB3(b3, options) ?? freshTrace(b3?.sampling, options);
    this.#traceState = w3c === undefined ? undefined : parseTracestate(this.#head.header('tracestate'));
    this.#b3 = b3?.encoding;
    this.#b3Debug = b3?.sampling === 'debug';
  }
}

/** The same context inside a span: its calls are children of the span. The rest stays unread until it is asked for. */
export class ContextInSpan implements RequestContext {
  constructor(
    private readonly outer: RequestContext,
    readonly trace: TraceParent,
    readonly traceState: string | undefined,
  ) {}

  get requestId(): string {
    return this.outer.requestId;
  }

  get baggage(): string | undefined {
    return this.outer.baggage;
  }

  get b3(): RequestContext['b3'] {
    return this.outer.b3;
  }

  get b3Debug(): boolean | undefined {
    return this.outer.b3Debug;
  }

  get deadlineMs(): number | undefined {
    return this.outer.deadlineMs;
  }

  get signal(): AbortSignal | undefined {
    return this.outer.signal;
  }

  get forwarded(): readonly string[] {
    return this.outer.forwarded;
  }
}
