// Retry conditions and back-off against Envoy's own unit tests.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { corpusCases } from '../../testing/corpus.js';
import { ClusterStates } from '../../cluster-state/cluster-states.js';
import { seededDraws } from '../../draws.js';
import { cluster, DEFAULT_LIMITS, NO_CONDITIONS, retryPlan } from '../testing/snapshot-fixture.js';
import type { RetryConditions } from '../../snapshot/route-snapshot.js';
import type { AttemptFailure } from './attempt-failure.js';
import { Exchange, type Step } from './exchange.js';
import { backOffCapMs, backOffMs } from './retry-decision.js';

interface RetryCase {
  id: string;
  given: { policy?: Record<string, unknown> & { retry_on?: string }; request_headers?: Record<string, string> };
  upstream?: { status?: number; reset?: string; headers?: Record<string, string>; repeat?: number };
  expected: string | string[];
}

class TestExchange extends Exchange {
  onCapacityFreed(): void {
    throw new Error('nothing queues here');
  }
}

const GRPC: Readonly<Record<string, number>> = {
  cancelled: 1,
  'deadline-exceeded': 4,
  'resource-exhausted': 8,
  internal: 13,
  unavailable: 14,
};
const RESETS: Readonly<Record<string, AttemptFailure>> = {
  'remote-reset': 'remote-reset',
  'remote-refused-stream': 'refused-stream',
  'connect-failure': 'connect-failure',
};

/** Conditions as the feed would compile them from the policy and Envoy's request headers. */
function conditionsOf({ given }: RetryCase): RetryConditions {
  const headers = given.request_headers ?? {};
  const on = `${given.policy?.retry_on ?? ''},${headers['x-envoy-retry-on'] ?? ''}`.split(',');
  const codes = [
    ...((given.policy?.['retriable_status_codes'] as number[] | undefined) ?? []),
    ...(headers['x-envoy-retriable-status-codes'] ?? '').split(',').map(Number),
  ].filter((code) => code > 0);
  return {
    ...NO_CONDITIONS,
    on5xx: on.includes('5xx'),
    gatewayError: on.includes('gateway-error'),
    reset: on.includes('reset'),
    connectFailure: on.includes('connect-failure'),
    refusedStream: on.includes('refused-stream'),
    retriable4xx: on.includes('retriable-4xx'),
    envoyRateLimited: on.includes('envoy-ratelimited'),
    statusCodes: on.includes('retriable-status-codes') ? codes : [],
    grpcCodes: (headers['x-envoy-retry-grpc-on'] ?? '').split(',').flatMap((name) => GRPC[name] ?? []),
  };
}

function outcomeOf(step: Step, flags: string): string {
  if (step === 'wait') return 'retry';
  if (flags.split(',').includes('URX')) return 'no_retry_limit_exceeded';
  return flags.split(',').includes('UO') ? 'no_retry_overflow' : 'no_retry';
}

function run(test: RetryCase): string[] {
  const clock = new VirtualClock();
  const draw = seededDraws(1);
  const policy = test.given.policy ?? {};
  const maxRetries = Number(policy['circuit_breaker_max_retries'] ?? 1024);
  const state = new ClusterStates(clock, draw).of(
    cluster('up', ['a:1'], { limits: { ...DEFAULT_LIMITS, maxRetries } }),
  );
  const numRetries = Number(test.given.request_headers?.['x-envoy-max-retries'] ?? policy['num_retries'] ?? 1);
  const exchange = new TestExchange({ draw, wallMs: () => 0 });
  exchange.begin(
    {
      cluster: state,
      retry: retryPlan(conditionsOf(test), { numRetries }),
      callerDeadlineMs: Infinity,
      routeTimeoutMs: 0,
      hash: undefined,
      repeatable: true,
      fixedEndpoint: undefined,
      filters: undefined,
      grpc: false,
    },
    0,
  );
  const { status, reset, headers = {}, repeat = 1 } = test.upstream ?? {};
  const outcomes: string[] = [];
  let nowMs = 0;
  for (let answer = 0; answer < repeat; answer++) {
    const head = { header: (name: string) => headers[name] };
    const step =
      reset === undefined
        ? exchange.onHeaders(status ?? 0, Number(headers['grpc-status'] ?? -1), head, nowMs)
        : exchange.onFailure(RESETS[reset]!, nowMs);
    outcomes.push(outcomeOf(step, exchange.flags));
    nowMs += 10_000;
    if (step === 'wait') exchange.onTimer(nowMs);
  }
  return outcomes;
}

/** Cases of features that the route snapshot does not carry yet, and of parsing, which is the snapshot's. */
const ELSEWHERE = /^(budget-|parse-|reset-header-|request-header-limit-|retriable-headers-|no-policy-|.*-overflow$)/;
const policies = corpusCases<RetryCase>('envoy-stateful/retry-policy.json');
describe.skipIf(policies === undefined)('retry policy as in Envoy´s own tests (needs the corpora)', () => {
  const mine = (policies ?? []).filter(({ id }) => !ELSEWHERE.test(id) && !/junk/.test(id));
  it.each(mine)('$id', (test) => {
    expect(run(test)).toEqual([test.expected].flat());
  });
});

interface BackOffCase {
  id: string;
  given: { strategy: string; base_ms: number; max_ms: number | null; random?: number | number[] };
  expected: { sequence_ms?: number[]; range_ms?: [number, number][] };
}
const backOffs = corpusCases<BackOffCase>('envoy-stateful/retry-backoff.json');
describe.skipIf(backOffs === undefined)('retry back-off as in Envoy´s own tests (needs the corpora)', () => {
  const mine = (backOffs ?? []).filter(({ given }) => given.strategy === 'exponential_full_jitter');
  it.each(mine)('$id', ({ given, expected }) => {
    const plan = { backOffBaseMs: given.base_ms, backOffMaxMs: given.max_ms ?? 10 * given.base_ms };
    expected.sequence_ms?.forEach((wanted, index) => {
      const random = [given.random ?? 0].flat();
      const raw = random[Math.min(index, random.length - 1)] ?? 0;
      const cap = backOffCapMs(plan, index + 1);
      // Envoy takes the remainder of a raw draw; a draw in [0, 1) of the same remainder lies in the middle of its millisecond.
      expect(backOffMs(plan, index + 1, () => ((raw % cap) + 0.5) / cap)).toBe(wanted);
    });
    expected.range_ms?.forEach(([low, high], index) => {
      expect(backOffMs(plan, index + 1, () => 0)).toBe(low);
      expect(backOffMs(plan, index + 1, () => 1 - Number.EPSILON)).toBe(high);
    });
  });
});
