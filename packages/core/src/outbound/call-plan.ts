// The policies of one call put together: deadline, repeatability and filters of a prepared call. Used by every driver.
import type { RequestContext } from '../telemetry/request-context.js';
import type { ExchangePlan } from './exchange/exchange.js';
import { FilterRun } from './exchange/filter-run.js';
import type { OutboundHead } from './exchange/outbound-head.js';
import { isRepeatable } from './exchange/retry-decision.js';
import { callerDeadline, grpcTimeoutMs } from './exchange/timeout-plan.js';
import type { ForwardAction } from '../snapshot/route-snapshot.js';
import type { ForwardedCall } from './prepare-call.js';

/** What a caller may say of one call beyond HTTP. */
export interface CallHints {
  /** True: may be sent again although its method is not idempotent. */
  readonly idempotent?: boolean | undefined;
  /** Time for the whole call in ms, if shorter than the route's. */
  readonly timeoutMs?: number | undefined;
  /** The status of the call is a gRPC status. */
  readonly grpc?: boolean | undefined;
}

export function callPlan(
  call: ForwardedCall,
  head: OutboundHead,
  hints: CallHints,
  context: RequestContext | undefined,
  retryNonIdempotent: boolean,
  nowMs: number,
): ExchangePlan {
  const { action } = call;
  head.cluster = call.cluster.name;
  return {
    cluster: call.cluster,
    retry: action.retry,
    callerDeadlineMs: callerDeadline(nowMs, hints.timeoutMs, context?.deadlineMs),
    routeTimeoutMs: routeTimeoutMs(action, head, hints),
    hash: action.hash?.(head),
    repeatable: hints.idempotent === true || isRepeatable(head, retryNonIdempotent),
    fixedEndpoint: call.fixedEndpoint,
    filters: call.filters.length === 0 ? undefined : new FilterRun(call.filters, head),
    grpc: hints.grpc === true,
  };
}

/** A gRPC call's deadline may take the place of the route's timeout; drivers that keep it apart from the headers give it as a hint. */
function routeTimeoutMs(action: ForwardAction, head: OutboundHead, { grpc, timeoutMs }: CallHints): number {
  if (grpc !== true || action.grpcTimeoutMs === undefined) return action.timeoutMs;
  return action.grpcTimeoutMs(timeoutMs ?? grpcTimeoutMs(head.header('grpc-timeout')));
}
