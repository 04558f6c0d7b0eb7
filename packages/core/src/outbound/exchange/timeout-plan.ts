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

/** A deadline that was just set may seem farther away than it is by the rounding of the sum. */
const CLOCK_NOISE_MS = 0.001;

/** Value of x-envoy-expected-rq-timeout-ms: the per-try timeout where there is one, else what is left of the whole; 0 = none. */
export function expectedTimeoutMs(perTryTimeoutMs: number, deadlineMs: number, nowMs: number): number {
  const leftMs = deadlineMs - nowMs;
  const expected = perTryTimeoutMs > 0 ? Math.min(perTryTimeoutMs, leftMs) : leftMs;
  return Number.isFinite(expected) ? Math.max(1, Math.ceil(expected - CLOCK_NOISE_MS)) : 0;
}

const GRPC_UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** A grpc-timeout header (up to eight digits and a unit) in whole ms, rounded up as Envoy does; undefined where there is none or it is malformed. */
export function grpcTimeoutMs(header: string | undefined): number | undefined {
  const match = header === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(header);
  return match === null ? undefined : Math.ceil(Number(match[1]) * (GRPC_UNITS_MS[match[2] ?? ''] ?? 0));
}
