// Compiles Envoy's RetryPolicy (Envoy: router filter, x-envoy-retry-on and x-envoy-retry-grpc-on; defaults of the RetryPolicy message).
import type { RetryPolicy } from '@heddle/xds';
import { durationMs } from '../../filters/filter-config.js';
import type { CompileReport } from '../compile-report.js';
import type { RetryConditions, RetryPlan } from '../route-snapshot.js';

const PREVIOUS_HOSTS = 'envoy.retry_host_predicates.previous_hosts';
const DEFAULT_BASE_MS = 25;

/** Conditions that are a flag of the plan. */
const FLAGS: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'refused-stream',
  'retriable-4xx',
  'envoy-ratelimited',
]);

/** Conditions on the gRPC status. */
const GRPC_CODES: ReadonlyMap<string, number> = new Map([
  ['cancelled', 1],
  ['deadline-exceeded', 4],
  ['resource-exhausted', 8],
  ['internal', 13],
  ['unavailable', 14],
]);

/** The plan of a policy; undefined when it never retries. */
export function compileRetryPlan(policy: RetryPolicy, path: string, report: CompileReport): RetryPlan | undefined {
  const conditions = compileConditions(policy, path, report);
  const base = durationMs(policy.retryBackOff?.baseInterval);
  const max = durationMs(policy.retryBackOff?.maxInterval);
  if (policy.retryBackOff !== undefined && base === undefined)
    report.fault(`${path}.retry_back_off.base_interval`, 'must be set');
  if (max !== undefined && max < (base ?? 0))
    report.fault(`${path}.retry_back_off.max_interval`, 'must be greater than or equal to base_interval');
  const backOffBaseMs = Math.max(1, base ?? DEFAULT_BASE_MS);
  for (const [index, predicate] of policy.retryHostPredicate.entries())
    if (predicate.name !== PREVIOUS_HOSTS)
      report.ignored(`${path}.retry_host_predicate[${index}]`, `the predicate ${predicate.name} is not evaluated`);
  const numRetries = policy.numRetries ?? 1;
  if (conditions === undefined || numRetries === 0) return undefined;
  return {
    conditions,
    numRetries,
    perTryTimeoutMs: durationMs(policy.perTryTimeout) ?? 0,
    perTryIdleTimeoutMs: durationMs(policy.perTryIdleTimeout) ?? 0,
    backOffBaseMs,
    backOffMaxMs: Math.max(1, max ?? backOffBaseMs * 10),
    avoidPreviousHosts: policy.retryHostPredicate.some((predicate) => predicate.name === PREVIOUS_HOSTS),
    hostSelectionAttempts: Math.max(1, Number(policy.hostSelectionRetryMaxAttempts)),
  };
}

/** Reads `retry_on`; undefined when nothing in it can ever cause a retry. Numbers stand for status codes, as in Istio's retryOn. */
function compileConditions(policy: RetryPolicy, path: string, report: CompileReport): RetryConditions | undefined {
  const flags = new Set<string>();
  const codes = new Set<number>();
  const grpcCodes = new Set<number>();
  for (const token of policy.retryOn.split(',').map((part) => part.trim())) {
    const grpcCode = GRPC_CODES.get(token);
    if (token === '') continue;
    else if (FLAGS.has(token)) flags.add(token);
    else if (grpcCode !== undefined) grpcCodes.add(grpcCode);
    else if (token === 'retriable-status-codes') for (const code of policy.retriableStatusCodes) codes.add(code);
    else if (/^[1-5]\d\d$/.test(token)) codes.add(Number(token));
    else report.ignored(`${path}.retry_on`, `the condition ${JSON.stringify(token)} never causes a retry`);
  }
  if (flags.size + codes.size + grpcCodes.size === 0) return undefined;
  return {
    on5xx: flags.has('5xx'),
    gatewayError: flags.has('gateway-error'),
    reset: flags.has('reset'),
    resetBeforeRequest: flags.has('reset-before-request'),
    connectFailure: flags.has('connect-failure'),
    refusedStream: flags.has('refused-stream'),
    retriable4xx: flags.has('retriable-4xx'),
    envoyRateLimited: flags.has('envoy-ratelimited'),
    statusCodes: [...codes].sort((a, b) => a - b),
    grpcCodes: [...grpcCodes].sort((a, b) => a - b),
  };
}
