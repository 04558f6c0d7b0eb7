// Outlier detection against Envoy's own unit tests, then what a cluster does with it.
import { describe, expect, it } from 'vitest';
import { seededDraws } from '../draws.js';
import { cluster, DEFAULT_OUTLIER, endpoint } from '../outbound/testing/snapshot-fixture.js';
import type { OutlierConfig } from '../snapshot/cluster-snapshot.js';
import { corpusCases } from '../testing/corpus.js';
import { VirtualClock } from '../testing/virtual-clock.js';
import { ClusterStates } from './cluster-states.js';
import { EndpointState } from './endpoint-state.js';
import { OutlierDetector } from './outlier-detector.js';
import { successRateThreshold } from './success-rate.js';

interface Step {
  at: number;
  event: 'responses' | 'interval_tick' | 'expect';
  host?: string;
  statuses?: number[];
  status?: number;
  count?: number;
  ejected?: string[];
  success_rate?: Record<string, number>;
  [counter: string]: unknown;
}
interface OutlierCase {
  id: string;
  given: {
    hosts?: string[];
    outlier_detection?: Record<string, unknown>;
    success_rates?: number[];
    stdev_factor?: number;
  };
  steps: Step[];
  expected?: { average: number; ejection_threshold: number };
}

const seconds = (value: unknown, otherwise: number) =>
  typeof value === 'string' ? Number.parseFloat(value) * 1_000 : otherwise;
const number = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise);

/** Envoy's JSON with Envoy's defaults. */
function configOf(given: Record<string, unknown>): OutlierConfig {
  return {
    ...DEFAULT_OUTLIER,
    consecutive5xx: number(given['consecutive_5xx'], 5),
    enforcingConsecutive5xx: number(given['enforcing_consecutive_5xx'], 100),
    consecutiveGatewayFailure: number(given['consecutive_gateway_failure'], 5),
    enforcingConsecutiveGatewayFailure: number(given['enforcing_consecutive_gateway_failure'], 0),
    baseEjectionTimeMs: seconds(given['base_ejection_time'], 30_000),
    maxEjectionTimeMs: seconds(given['max_ejection_time'], 300_000),
    maxEjectionPercent: number(given['max_ejection_percent'], 10),
    alwaysEjectOneHost: given['always_eject_one_host'] === true,
    successRate: {
      enforcing: number(given['enforcing_success_rate'], 100),
      minimumHosts: 5,
      requestVolume: 100,
      stdevFactor: number(given['success_rate_stdev_factor'], 1900) / 1000,
    },
    failurePercentage: {
      enforcing: number(given['enforcing_failure_percentage'], 0),
      minimumHosts: 5,
      requestVolume: 50,
      threshold: 85,
    },
  };
}

function runStep(step: Step, detector: OutlierDetector, hosts: Map<string, EndpointState>): void {
  if (step.event === 'interval_tick') return detector.sweep(step.at);
  if (step.event === 'responses') {
    const statuses = step.statuses ?? new Array<number>(step.count ?? 1).fill(step.status ?? 0);
    for (const status of statuses) detector.onStatus(hosts.get(step.host ?? '')!, status, step.at);
    return;
  }
  const counters: Record<string, unknown> = {
    ejections_active: detector.activeEjections,
    ejections_overflow: detector.overflows,
    ejections_consecutive_5xx: detector.counts['consecutive-5xx'].enforced,
    detected_consecutive_5xx: detector.counts['consecutive-5xx'].detected,
    enforced_consecutive_5xx: detector.counts['consecutive-5xx'].enforced,
    detected_consecutive_gateway_failure: detector.counts['consecutive-gateway-failure'].detected,
    enforced_consecutive_gateway_failure: detector.counts['consecutive-gateway-failure'].enforced,
    success_rate_average: detector.lastSuccessRate.average,
    success_rate_ejection_threshold: detector.lastSuccessRate.threshold,
  };
  for (const [name, wanted] of Object.entries(step)) {
    if (['at', 'event'].includes(name)) continue;
    if (name === 'ejected') expect([...hosts].filter(([, each]) => each.ejected).map(([host]) => host)).toEqual(wanted);
    else if (name === 'success_rate')
      for (const [host, rate] of Object.entries(step.success_rate ?? {}))
        expect(hosts.get(host)?.successRate).toBeCloseTo(rate, 5);
    else expect(counters[name], `${name} at ${step.at}`).toBeCloseTo(wanted as number, 5);
  }
}

const corpus = corpusCases<OutlierCase>('envoy-stateful/outlier-detection.json');
describe.skipIf(corpus === undefined)('outlier detection as in Envoy´s own tests (needs the corpora)', () => {
  it.each(corpus ?? [])('$id', ({ given, steps, expected }) => {
    if (given.success_rates !== undefined && expected !== undefined) {
      const { average, threshold } = successRateThreshold(given.success_rates, given.stdev_factor ?? 1.9);
      expect([average, threshold]).toEqual([expected.average, expected.ejection_threshold]);
      return;
    }
    const hosts = new Map((given.hosts ?? []).map((name) => [name, new EndpointState(endpoint(`${name}:80`))]));
    const detector = new OutlierDetector(
      configOf(given.outlier_detection ?? {}),
      hosts,
      seededDraws(1),
      () => undefined,
    );
    for (const step of steps) runStep(step, detector, hosts);
  });
});

describe('a cluster with outlier detection', () => {
  const outlier = { ...DEFAULT_OUTLIER, maxEjectionPercent: 50 };
  function setUp() {
    const clock = new VirtualClock();
    const states = new ClusterStates(clock, seededDraws(3));
    const snapshot = cluster('upstream', ['10.0.0.1:80', '10.0.0.2:80'], { outlier });
    const state = states.of(snapshot);
    const first = state.endpoints.get('10.0.0.1:80')!;
    const fail = () => {
      for (let answer = 0; answer < 5; answer++) state.reportStatus(first, 503, clock.nowMs());
    };
    const picks = () => new Set(Array.from({ length: 6 }, () => state.pick(undefined, 0)?.address));
    return { clock, states, snapshot, state, first, fail, picks };
  }

  it('sweeps only while someone is out, and lets it back in at its time', () => {
    const { clock, fail, picks } = setUp();
    expect(clock.pendingTimers).toBe(0);
    fail();
    expect([...picks()]).toEqual(['10.0.0.2:80']);
    clock.advance(29_999);
    expect(picks().size).toBe(1);
    clock.advance(1);
    expect(picks().size).toBe(2);
    // One more healthy interval pays the ejection off; then nothing runs any more.
    clock.advance(10_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps ejections and requests in flight across a new configuration', () => {
    const { states, snapshot, first, fail, picks } = setUp();
    fail();
    first.activeRequests = 2;
    const next = states.of({ ...snapshot, version: '2' });
    expect(next.endpoints.get('10.0.0.1:80')).toBe(first);
    expect([first.ejected, first.activeRequests, picks().size]).toEqual([true, 2, 1]);
  });

  it('forgets an ejected endpoint that leaves, so that others may be ejected', () => {
    const { states, fail, state, first, clock } = setUp();
    fail();
    let drained = 0;
    first.connections = { drain: () => (drained += 1) };
    const smaller = states.of(cluster('upstream', ['10.0.0.2:80', '10.0.0.3:80'], { outlier, version: '2' }));
    expect([drained, first.removed, state.detector?.activeEjections]).toEqual([1, true, 0]);
    const second = smaller.endpoints.get('10.0.0.2:80')!;
    for (let answer = 0; answer < 5; answer++) smaller.reportStatus(second, 500, clock.nowMs());
    expect(second.ejected).toBe(true);
  });

  it('counts connect failures like 5xx, and apart from them where the configuration splits the two', () => {
    const { state, first, clock } = setUp();
    for (let failure = 0; failure < 5; failure++) state.reportFailure(first, false, clock.nowMs());
    expect([first.ejected, state.detector?.counts['consecutive-5xx'].enforced]).toEqual([true, 1]);
    const split = { ...outlier, splitExternalLocalOriginErrors: true };
    const other = new ClusterStates(clock, seededDraws(3)).of(cluster('other', ['a:1', 'b:1'], { outlier: split }));
    const host = other.endpoints.get('a:1')!;
    for (let failure = 0; failure < 4; failure++) other.reportFailure(host, false, clock.nowMs());
    other.reportStatus(host, 500, clock.nowMs());
    for (let failure = 0; failure < 4; failure++) other.reportFailure(host, false, clock.nowMs());
    expect(host.ejected).toBe(false);
    other.reportFailure(host, true, clock.nowMs());
    expect(other.detector?.counts['consecutive-local-origin-failure'].enforced).toBe(1);
  });

  it('drops the state and the timers of clusters that are gone', () => {
    const { states, fail, clock } = setUp();
    fail();
    states.retain(() => false);
    expect([clock.pendingTimers, states.byName('upstream')]).toEqual([0, undefined]);
  });
});

describe('ejected hosts', () => {
  it('stay out for up to the jitter longer, so that they do not all return together', () => {
    const config = {
      ...DEFAULT_OUTLIER,
      baseEjectionTimeMs: 1_000,
      maxEjectionTimeMs: 10_000,
      maxEjectionTimeJitterMs: 500,
    };
    const hosts = new Map(
      Array.from({ length: 50 }, (_, index) => `10.0.0.${index}:80`).map((each) => [
        each,
        new EndpointState(endpoint(each)),
      ]),
    );
    const detector = new OutlierDetector(config, hosts, seededDraws(3), () => undefined);
    for (const host of hosts.values()) for (let failure = 0; failure < 5; failure++) detector.onStatus(host, 500, 0);
    const returns = [...hosts.values()].map((host) => detector.ejectedUntilMs(host));
    expect(Math.min(...returns)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...returns)).toBeLessThanOrEqual(1_500);
    expect(new Set(returns).size).toBeGreaterThan(20);
  });
});
