// Which of the three deadlines of a call comes first: the route's timeout, the call's own, and the deadline of the request that it is made for.

export interface CallDeadline {
  /** Monotonic time; Infinity = none. */
  readonly atMs: number;
  /** True when the caller set it (inbound deadline or `timeoutMs` of the call), not the route. */
  readonly byCaller: boolean;
}

/** The caller's own limits, which hold from the very beginning. 0 or undefined = no such limit. */
export function callerDeadline(
  nowMs: number,
  callTimeoutMs: number | undefined,
  contextDeadlineMs: number | undefined,
): number {
  const own = callTimeoutMs !== undefined && callTimeoutMs > 0 ? nowMs + callTimeoutMs : Infinity;
  return Math.min(own, contextDeadlineMs ?? Infinity);
}

/** The route's timeout runs from where Envoy's router begins, after the filters: a fault's delay does not use it up. 0 = none. */
export function callDeadline(nowMs: number, routeTimeoutMs: number, callerDeadlineMs: number): CallDeadline {
  const routeMs = routeTimeoutMs > 0 ? nowMs + routeTimeoutMs : Infinity;
  return callerDeadlineMs < routeMs ? { atMs: callerDeadlineMs, byCaller: true } : { atMs: routeMs, byCaller: false };
}

/** Value of x-envoy-expected-rq-timeout-ms: the per-try timeout where there is one, else what is left of the whole; 0 = none. */
export function expectedTimeoutMs(perTryTimeoutMs: number, deadlineMs: number, nowMs: number): number {
  const leftMs = deadlineMs - nowMs;
  const expected = perTryTimeoutMs > 0 ? Math.min(perTryTimeoutMs, leftMs) : leftMs;
  return Number.isFinite(expected) ? Math.max(1, Math.ceil(expected)) : 0;
}
