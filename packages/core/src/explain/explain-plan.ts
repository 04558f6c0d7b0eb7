// Timeouts and retries of a route in words, with the rule that really applies to this request.
import type { ConfigOrigin } from '@heddle/xds';
import type { ExplainStep } from '../explain-types.js';
import { isRepeatable } from '../outbound/exchange/retry-decision.js';
import type { RequestHead } from '../request-head.js';
import type { ForwardAction, RetryConditions } from '../snapshot/route-snapshot.js';

export function timeoutStep(action: ForwardAction, origin: ConfigOrigin | undefined): ExplainStep {
  const total = action.timeoutMs === 0 ? 'no total timeout' : `${action.timeoutMs} ms in all`;
  return {
    stage: 'policy',
    subject: 'timeout',
    verdict: 'info',
    reason: total,
    origin,
    facts: { timeoutMs: action.timeoutMs },
  };
}

export function retryStep(
  action: ForwardAction,
  head: RequestHead,
  retryNonIdempotent: boolean,
  origin: ConfigOrigin | undefined,
): ExplainStep {
  const { retry } = action;
  if (retry === undefined) return { stage: 'policy', subject: 'retries', verdict: 'info', reason: 'none', origin };
  const conditions = conditionsText(retry.conditions);
  const perTry = retry.perTryTimeoutMs === 0 ? '' : `, ${retry.perTryTimeoutMs} ms a try`;
  const narrowed = isRepeatable(head, retryNonIdempotent)
    ? ''
    : `; ${head.method} is not idempotent, so only where the upstream provably did not process it`;
  return {
    stage: 'policy',
    subject: 'retries',
    verdict: 'info',
    reason: `${retry.numRetries} on ${conditions}${perTry}${narrowed}`,
    origin,
    facts: { numRetries: retry.numRetries, perTryTimeoutMs: retry.perTryTimeoutMs, backOffBaseMs: retry.backOffBaseMs },
  };
}

function conditionsText(conditions: RetryConditions): string {
  const names: [boolean, string][] = [
    [conditions.on5xx, '5xx'],
    [conditions.gatewayError, 'gateway-error'],
    [conditions.reset, 'reset'],
    [conditions.resetBeforeRequest, 'reset-before-request'],
    [conditions.connectFailure, 'connect-failure'],
    [conditions.refusedStream, 'refused-stream'],
    [conditions.retriable4xx, 'retriable-4xx'],
    [conditions.envoyRateLimited, 'envoy-ratelimited'],
    [conditions.statusCodes.length > 0, `status ${conditions.statusCodes.join(' ')}`],
    [conditions.grpcCodes.length > 0, `gRPC ${conditions.grpcCodes.join(' ')}`],
  ];
  return names
    .filter(([set]) => set)
    .map(([, name]) => name)
    .join(', ');
}
