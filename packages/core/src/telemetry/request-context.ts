// The context of an inbound request that every outbound call made on its behalf inherits, carried by AsyncLocalStorage.

export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: the span that new spans are children of. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** The `random-trace-id` flag came in and goes on (W3C Trace Context level 2, §2.2.2.2). */
  readonly random?: boolean | undefined;
}

export interface RequestContext {
  readonly requestId: string;
  readonly trace: TraceParent | undefined;
  /** `tracestate` and `baggage` as they came; undefined when absent. */
  readonly traceState: string | undefined;
  readonly baggage: string | undefined;
  /** True when the caller used B3 headers, so that B3 goes out too. */
  readonly b3: 'single' | 'multi' | undefined;
  /** The caller asked for B3's debug decision, which goes on as such. */
  readonly b3Debug?: boolean | undefined;
  /** Monotonic time by which the inbound request must be answered; undefined = none. */
  readonly deadlineMs: number | undefined;
  /** Aborted when the inbound caller went away or the deadline passed. */
  readonly signal: AbortSignal | undefined;
  /** Other headers that go on unchanged (configured names, e.g. `x-canary-user`), flat name/value list. */
  readonly forwarded: readonly string[];
}
