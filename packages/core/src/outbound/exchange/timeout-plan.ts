// Which of the three deadlines of a call comes first: the route's timeout, the call's own, and the deadline of the request that it is made for.

export interface CallDeadline {
  /** Monotonic time; Infinity = none. */
  readonly atMs: number;
  /** True when the caller set it (inbound deadline or `timeoutMs` of the call), not the route. */
  readonly byCaller: boolean;
}

/** 0 or undefined = no such timeout. */
export function callDeadline(
  nowMs: number,
  routeTimeoutMs: number,
  callTimeoutMs: number | undefined,
  contextDeadlineMs: number | undefined,
): CallDeadline {
  let atMs = routeTimeoutMs > 0 ? nowMs + routeTimeoutMs : Infinity;
  let byCaller = false;
  if (callTimeoutMs !== undefined && callTimeoutMs > 0 && nowMs + callTimeoutMs < atMs) {
    atMs = nowMs + callTimeoutMs;
    byCaller = true;
  }
  if (contextDeadlineMs !== undefined && contextDeadlineMs < atMs) {
    atMs = contextDeadlineMs;
    byCaller = true;
  }
  return { atMs, byCaller };
}

/** Value of x-envoy-expected-rq-timeout-ms: the per-try timeout where there is one, else what is left of the whole; 0 = none. */
export function expectedTimeoutMs(perTryTimeoutMs: number, deadlineMs: number, nowMs: number): number {
  const leftMs = deadlineMs - nowMs;
  const expected = perTryTimeoutMs > 0 ? Math.min(perTryTimeoutMs, leftMs) : leftMs;
  return Number.isFinite(expected) ? Math.max(1, Math.ceil(expected)) : 0;
}
