// Whether an attempt is tried again, as pure functions (Envoy: retry_state_impl.cc).
import type { RequestHead } from '../../request-head.js';
import type { Draws } from '../../draws.js';
import type { RetryConditions, RetryPlan } from '../../snapshot/route-snapshot.js';
import { FAILURES, type AttemptFailure } from './attempt-failure.js';

/** What the decision reads of a response. */
export interface ResponseHead {
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
}

/** RFC 9110 §9.2.2, and QUERY (draft-ietf-httpbis-safe-method-w-body). */
function isIdempotentMethod(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'TRACE':
    case 'QUERY':
      return true;
    default:
      return false;
  }
}

/** May be sent again whatever happened to the first copy, as far as the request and the mesh's settings say. */
export function isRepeatable(head: RequestHead, retryNonIdempotent: boolean): boolean {
  return isIdempotentMethod(head.method) || retryNonIdempotent || head.header('idempotency-key') !== undefined;
}

/** Does the policy want a retry after this answer? (Envoy: RetryStateImpl::wouldRetryFromHeaders.) */
export function wantsRetryAfterStatus(
  conditions: RetryConditions,
  status: number,
  grpcStatus: number,
  head: ResponseHead,
): boolean {
  // Only worth a look where the answer could be retried at all: this runs on every response of a route with retries.
  const byStatus = statusCondition(conditions, status);
  const byGrpc = grpcStatus > 0 && conditions.grpcCodes.includes(grpcStatus);
  if (!byStatus && !byGrpc && !conditions.envoyRateLimited) return false;
  if (head.header('x-envoy-ratelimited') !== undefined) return conditions.envoyRateLimited;
  return byStatus || byGrpc;
}

function statusCondition(conditions: RetryConditions, status: number): boolean {
  if (status >= 500) {
    if (conditions.on5xx) return true;
    if (conditions.gatewayError && status >= 502 && status <= 504) return true;
  }
  if (conditions.retriable4xx && status === 409) return true;
  return conditions.statusCodes.length > 0 && conditions.statusCodes.includes(status);
}

/** Does the policy want a retry after this failure? (Envoy: RetryStateImpl::wouldRetryFromReset.) */
export function wantsRetryAfterFailure(conditions: RetryConditions, failure: AttemptFailure): boolean {
  if (conditions.reset || conditions.on5xx || conditions.gatewayError) return true;
  if (conditions.resetBeforeRequest && FAILURES[failure].unprocessed) return true;
  if (conditions.refusedStream && failure === 'refused-stream') return true;
  return conditions.connectFailure && FAILURES[failure].connecting;
}

/** Upper bound (exclusive) of the wait before retry `retry` (1 = the first). Envoy: min(max, base * 2^(n-1)). */
export function backOffCapMs(plan: Pick<RetryPlan, 'backOffBaseMs' | 'backOffMaxMs'>, retry: number): number {
  return Math.min(plan.backOffMaxMs, plan.backOffBaseMs * 2 ** (retry - 1));
}

/** Full jitter: anything from 0 to the cap, in whole milliseconds (Envoy: JitteredExponentialBackOffStrategy). */
export function backOffMs(plan: Pick<RetryPlan, 'backOffBaseMs' | 'backOffMaxMs'>, retry: number, draw: Draws): number {
  return Math.floor(draw('retry-jitter') * backOffCapMs(plan, retry));
}
