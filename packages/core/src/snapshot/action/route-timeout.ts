// The total timeout of a route, and what becomes of it for gRPC requests, which bring a deadline of their own in `grpc-timeout`
// (Envoy: FilterUtility::finalTimeout for max_grpc_timeout, ActiveStream::refreshDurationTimeout for max_stream_duration).
import type { RouteAction } from '@heddle/xds';
import { durationMs } from '../../filters/filter-config.js';

/** Envoy's default route timeout (RouteAction.timeout). */
const DEFAULT_TIMEOUT_MS = 15_000;
/** Shortest timeout: a deadline that is over already. 0 would be none. */
const AT_ONCE_MS = 1;

/** Total timeout in ms of a gRPC request that asks for `askedMs` (undefined: it asks for nothing); 0 = none. */
export type GrpcTimeout = (askedMs: number | undefined) => number;

/**
 * The shorter of `timeout` and `max_stream_duration` (gRFC A31: proxyless gRPC has only the latter); 0 = none. A max_stream_duration without a timeout
 * takes the default timeout's place.
 */
export function totalTimeoutMs(action: RouteAction): number {
  return shorter(routeTimeoutMs(action), streamDurationMs(action));
}

/** Undefined where a gRPC request is timed as any other. */
export function compileGrpcTimeout(action: RouteAction): GrpcTimeout | undefined {
  const limits = action.maxStreamDuration;
  const streamMaxMs = durationMs(limits?.grpcTimeoutHeaderMax);
  const streamOffsetMs = durationMs(limits?.grpcTimeoutHeaderOffset) ?? 0;
  /* eslint-disable @typescript-eslint/no-deprecated -- istiod sets max_grpc_timeout on every route */
  const routeMaxMs = durationMs(action.maxGrpcTimeout);
  const routeOffsetMs = durationMs(action.grpcTimeoutOffset) ?? 0;
  /* eslint-enable @typescript-eslint/no-deprecated */
  if (streamMaxMs === undefined && routeMaxMs === undefined) return undefined;
  const plainRouteMs = routeTimeoutMs(action);
  const plainStreamMs = streamDurationMs(action);
  return (askedMs) => {
    const routeMs = routeMaxMs === undefined ? plainRouteMs : cappedRoute(askedMs ?? 0, routeMaxMs, routeOffsetMs);
    const streamMs =
      streamMaxMs === undefined || askedMs === undefined
        ? plainStreamMs
        : cappedStream(askedMs, streamMaxMs, streamOffsetMs);
    return shorter(routeMs, streamMs);
  };
}

/** Replaces the route's timeout: what the request asks for, less the offset where that leaves something, up to the maximum (0: no maximum). */
function cappedRoute(askedMs: number, maxMs: number, offsetMs: number): number {
  const ms = offsetMs < askedMs ? askedMs - offsetMs : askedMs;
  return maxMs !== 0 && (ms === 0 || ms > maxMs) ? maxMs : ms;
}

/** Replaces the stream's duration: what the request asks for, up to the maximum (0: no maximum), less the offset. */
function cappedStream(askedMs: number, maxMs: number, offsetMs: number): number {
  const ms = maxMs !== 0 && askedMs > maxMs ? maxMs : askedMs;
  return Math.max(AT_ONCE_MS, ms - offsetMs);
}

function routeTimeoutMs(action: RouteAction): number {
  return durationMs(action.timeout) ?? (streamDurationMs(action) > 0 ? 0 : DEFAULT_TIMEOUT_MS);
}

function streamDurationMs(action: RouteAction): number {
  return durationMs(action.maxStreamDuration?.maxStreamDuration) ?? 0;
}

/** 0 = none. */
function shorter(a: number, b: number): number {
  return a === 0 || b === 0 ? Math.max(a, b) : Math.min(a, b);
}
