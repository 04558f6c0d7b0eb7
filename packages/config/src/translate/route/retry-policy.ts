// Retries as istiod writes them: two attempts on failures that the upstream did not see, unless the rule says otherwise.
import { type RetryPolicy, RetryPolicySchema, AnySchema, create } from '@heddle/xds';
import { STATUS_CODES } from 'node:http';
import type { RetrySpec } from '../../view/spec/istio.js';
import { durationOf } from '../wire.js';

const DEFAULT_RETRY_ON = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes';
const PREVIOUS_HOSTS = 'envoy.retry_host_predicates.previous_hosts';
const PREVIOUS_PRIORITIES = 'envoy.retry_priorities.previous_priorities';
const extension = 'type.googleapis.com/envoy.extensions.retry.';

/** undefined when `attempts: 0` turns retries off. With consistent hashing the same host is asked again. */
export function retryPolicy(spec: RetrySpec | undefined, consistentHash: boolean): RetryPolicy | undefined {
  if (spec !== undefined && (spec.attempts ?? 0) <= 0) return undefined;
  const policy = create(RetryPolicySchema, {
    numRetries: spec?.attempts ?? 2,
    retryOn: DEFAULT_RETRY_ON,
    hostSelectionRetryMaxAttempts: 5n,
  });
  if (spec?.retryIgnorePreviousHosts ?? !consistentHash) policy.retryHostPredicate = [previousHosts()];
  if (spec === undefined) return policy;
  if (spec.retryOn !== undefined && spec.retryOn !== '') applyRetryOn(policy, spec.retryOn);
  const perTryTimeout = durationOf(spec.perTryTimeout);
  if (perTryTimeout !== undefined) policy.perTryTimeout = perTryTimeout;
  const baseInterval = durationOf(spec.backoff);
  if (baseInterval !== undefined)
    policy.retryBackOff = create(RetryPolicySchema, { retryBackOff: { baseInterval } }).retryBackOff;
  if (spec.retryRemoteLocalities === true) policy.retryPriority = previousPriorities();
  return policy;
}

/** Numbers in `retryOn` are status codes. */
function applyRetryOn(policy: RetryPolicy, retryOn: string): void {
  const parts = retryOn
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const isCode = (part: string) => /^\d{3}$/.test(part) && STATUS_CODES[part] !== undefined;
  const conditions = parts.filter((part) => !isCode(part));
  policy.retriableStatusCodes = parts.filter(isCode).map(Number);
  if (policy.retriableStatusCodes.length > 0 && !conditions.includes('retriable-status-codes')) {
    conditions.push('retriable-status-codes');
  }
  policy.retryOn = conditions.join(',');
}

function previousHosts() {
  const typeUrl = `${extension}host.previous_hosts.v3.PreviousHostsPredicate`;
  return namedExtension('host', PREVIOUS_HOSTS, typeUrl, new Uint8Array())
    .retryHostPredicate[0] as RetryPolicy['retryHostPredicate'][number];
}

function previousPriorities() {
  const typeUrl = `${extension}priority.previous_priorities.v3.PreviousPrioritiesConfig`;
  // update_frequency: 2, field 1 as a varint.
  return namedExtension('priority', PREVIOUS_PRIORITIES, typeUrl, Uint8Array.of(0x08, 0x02)).retryPriority;
}

function namedExtension(
  kind: 'host' | 'priority',
  name: string,
  typeUrl: string,
  value: Uint8Array<ArrayBuffer>,
): RetryPolicy {
  const entry = { name, configType: { case: 'typedConfig' as const, value: create(AnySchema, { typeUrl, value }) } };
  return create(RetryPolicySchema, kind === 'host' ? { retryHostPredicate: [entry] } : { retryPriority: entry });
}
