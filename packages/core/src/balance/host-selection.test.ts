// Priorities, panic and localities: which hosts a pick can see.
import { describe, expect, it } from 'vitest';
import { seededDraws } from '../draws.js';
import { corpusCases } from '../testing/corpus.js';
import { selectHosts, type Eligibility } from './host-selection.js';
import { priorityLoad } from './priority-load.js';

interface PriorityCase {
  id: string;
  given: {
    overprovisioning_factor: number;
    panic_threshold: number;
    weighted_priority_health?: boolean;
    priorities: { hosts: number; healthy: number; degraded: number; excluded: number }[];
  };
  expected: { healthy_load?: number[]; degraded_load?: number[]; panic?: boolean[] };
}
const corpus = corpusCases<PriorityCase>('envoy-stateful/priority-load.json');
describe.skipIf(corpus === undefined)('priority load as in Envoy´s own tests (needs the corpora)', () => {
  // weighted_priority_health counts weights instead of hosts; no feed of Istio's sets it, and the snapshot does not carry it.
  const counted = (corpus ?? []).filter(({ given }) => given.weighted_priority_health !== true);
  it.each(counted)('$id', ({ given, expected }) => {
    const load = priorityLoad(given.priorities, given.overprovisioning_factor, given.panic_threshold);
    if (expected.healthy_load !== undefined) expect(load.healthy).toEqual(expected.healthy_load);
    if (expected.degraded_load !== undefined) expect(load.degraded).toEqual(expected.degraded_load);
    if (expected.panic !== undefined) expect(load.panic).toEqual(expected.panic);
  });
});

interface TestHost {
  readonly address: string;
  readonly weight: number;
  readonly activeRequests: number;
  readonly state: Eligibility;
}
const named = (name: string, states: readonly Eligibility[], weight = 0) => ({
  weight,
  hosts: states.map((state, index): TestHost => ({ address: `${name}${index}`, weight: 1, activeRequests: 0, state })),
});
const config = (panicThresholdPercent: number) => ({
  balancer: { kind: 'round-robin' as const },
  overprovisioningFactor: 140,
  panicThresholdPercent,
});
function picked(priorities: Parameters<typeof selectHosts<TestHost>>[0], panic = 0, picks = 1_000) {
  const draw = seededDraws(5);
  const picker = selectHosts(priorities, (each) => each.state, config(panic), draw);
  const counts: Record<string, number> = {};
  for (let pick = 0; pick < picks; pick++) {
    const name = picker.pick(draw, undefined, 0)?.address ?? 'none';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('the hosts of a pick', () => {
  it('are the healthy ones of the first priority while these suffice', () => {
    expect(picked([[named('a', ['healthy', 'unhealthy', 'healthy', 'healthy'])], [named('b', ['healthy'])]])).toEqual({
      a0: expect.any(Number),
      a2: expect.any(Number),
      a3: expect.any(Number),
    });
  });

  it('spill over to the next priority in proportion', () => {
    const counts = picked([[named('a', ['healthy', 'unhealthy'])], [named('b', ['healthy'])]]);
    expect(counts['a0']).toBeGreaterThan(650);
    expect(counts['b0']).toBeGreaterThan(240);
  });

  it('are none when all are ejected and panic is off, and all when it is on', () => {
    const gone = [[named('a', ['unhealthy', 'unhealthy'])]];
    expect(picked(gone)).toEqual({ none: 1_000 });
    expect(picked(gone, 50)).toEqual({ a0: 500, a1: 500 });
  });

  it('follow locality weights, shrunk by the share of healthy hosts', () => {
    const counts = picked([
      [named('a', ['healthy'], 1), named('b', ['healthy', 'unhealthy', 'unhealthy', 'unhealthy'], 1)],
    ]);
    // 1 : 1.4 * 1/4
    expect(counts['a0']).toBeGreaterThan(690);
    expect(counts['b0']).toBeGreaterThan(210);
  });

  it('are the degraded ones only where the healthy don´t suffice', () => {
    expect(picked([[named('a', ['degraded'])]])).toEqual({ a0: 1_000 });
    expect(picked([[named('a', ['healthy', 'healthy', 'healthy', 'degraded'])]])).not.toHaveProperty('a3');
  });
});
