// One suite over all balancers, then what is special to each.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededDraws } from '../draws.js';
import type { BalancerConfig } from '../snapshot/cluster-snapshot.js';
import { corpusCases } from '../testing/corpus.js';
import { createPicker } from './create-picker.js';
import { EdfSchedule } from './edf-schedule.js';
import { buildMaglevTable, maglevPicker } from './maglev-picker.js';
import type { Host } from './picker.js';
import { buildRing } from './ring-hash-picker.js';
import { xxHash64 } from './xxhash64.js';

interface TestHost extends Host {
  activeRequests: number;
}

const host = (address: string, weight = 1): TestHost => ({ address, weight, activeRequests: 0 });
const hosts = (count: number, weight: (index: number) => number = () => 1) =>
  Array.from({ length: count }, (_, index) => host(`10.0.0.${index}:80`, weight(index)));

const CONFIGS: readonly (BalancerConfig & { readonly honoursWeights: boolean; readonly hashes: boolean })[] = [
  { kind: 'round-robin', honoursWeights: true, hashes: false },
  { kind: 'least-request', choiceCount: 2, activeRequestBias: 1, honoursWeights: true, hashes: false },
  { kind: 'random', honoursWeights: false, hashes: false },
  { kind: 'ring-hash', minimumRingSize: 1024, maximumRingSize: 8192, honoursWeights: true, hashes: true },
  { kind: 'maglev', tableSize: 4093, honoursWeights: true, hashes: true },
];

function shares(config: BalancerConfig, list: readonly TestHost[], picks: number): Map<string, number> {
  const draw = seededDraws(42);
  const picker = createPicker(config, list, 0);
  const counts = new Map(list.map(({ address }) => [address, 0]));
  for (let pick = 0; pick < picks; pick++) {
    const chosen = picker.pick(draw, undefined, 0);
    if (chosen !== undefined) counts.set(chosen.address, (counts.get(chosen.address) ?? 0) + 1);
  }
  return counts;
}

describe.each(CONFIGS)('a $kind balancer', (config) => {
  it('offers nothing when there is nothing', () => {
    expect(createPicker(config, [], 0).pick(seededDraws(1), 5n, 0)).toBeUndefined();
  });

  it('offers the only host always', () => {
    const only = host('10.0.0.1:80', 7);
    const picker = createPicker(config, [only], 0.9);
    for (let pick = 0; pick < 20; pick++) expect(picker.pick(seededDraws(pick + 1), undefined, pick)).toBe(only);
  });

  it('spreads calls evenly over equal hosts (chi-square, seeded)', () => {
    const list = hosts(10);
    // A ring has gaps of different sizes: its shares are rough by nature.
    const roughness = config.kind === 'ring-hash' ? 40 : 1;
    const expected = 1_000;
    let chiSquare = 0;
    for (const count of shares(config, list, 10_000).values()) chiSquare += (count - expected) ** 2 / expected;
    // 27.9 is the 0.1 % bound at 9 degrees of freedom.
    expect(chiSquare).toBeLessThan(27.9 * roughness);
  });

  it.runIf(config.honoursWeights)('gives a host of three times the weight three times the calls', () => {
    const counts = [
      ...shares(
        config,
        hosts(4, (index) => (index === 0 ? 3 : 1)),
        12_000,
      ).values(),
    ];
    expect((counts[0] ?? 0) / 12_000).toBeGreaterThan(0.42);
    expect((counts[0] ?? 0) / 12_000).toBeLessThan(0.58);
  });

  it.runIf(config.hashes)('keeps a request on its host, and moves only the keys of a host that leaves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.array(fc.string(), { maxLength: 20 }), (count, keys) => {
        const list = hosts(count);
        // A ring of the same density with one host fewer: Envoy's bounds would give the others more points.
        const sized = (size: number) =>
          config.kind === 'ring-hash'
            ? { ...config, minimumRingSize: 100 * size, maximumRingSize: 100 * size }
            : config;
        const before = createPicker(sized(count), list, 0);
        const after = createPicker(sized(count - 1), list.slice(1), 0);
        const draw = seededDraws(3);
        for (const key of keys) {
          const hash = xxHash64(key);
          const chosen = before.pick(draw, hash, 0);
          expect(before.pick(draw, hash, 0)).toBe(chosen);
          // Maglev promises only few moves, a ring none.
          if (config.kind === 'ring-hash' && chosen !== list[0]) expect(after.pick(draw, hash, 0)).toBe(chosen);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe('least request', () => {
  it('prefers the idle of two hosts', () => {
    const list = hosts(2);
    (list[0] as TestHost).activeRequests = 5;
    const picker = createPicker({ kind: 'least-request', choiceCount: 2, activeRequestBias: 1 }, list, 0);
    const counts = { busy: 0, idle: 0 };
    const draw = seededDraws(9);
    for (let pick = 0; pick < 1_000; pick++) counts[picker.pick(draw, undefined, 0) === list[0] ? 'busy' : 'idle'] += 1;
    expect(counts.busy).toBeGreaterThan(150);
    expect(counts.busy).toBeLessThan(350);
  });

  it('lets load weigh against weight, more with a greater bias', () => {
    const list = hosts(2, (index) => (index === 0 ? 4 : 1));
    (list[0] as TestHost).activeRequests = 3;
    const share = (activeRequestBias: number) =>
      [...shares({ kind: 'least-request', choiceCount: 2, activeRequestBias }, list, 1_000).values()][0];
    expect([share(0), share(1), share(2)]).toEqual([800, 500, 200]);
  });
});

interface EdfCase {
  id: string;
  given: { entries: { name: string; weight: number }[]; picks?: number };
  expected: { pick_sequence?: string[]; pick_counts?: Record<string, number>; pick?: null };
}
const edf = corpusCases<EdfCase>('envoy-stateful/edf.json');
describe.skipIf(edf === undefined)('EDF as in Envoy´s own tests (needs the corpora)', () => {
  it.each(edf ?? [])('$id', ({ given, expected }) => {
    const schedule = new EdfSchedule<{ name: string; weight: number }>();
    for (const entry of given.entries) schedule.add(entry, entry.weight);
    const next = () => schedule.next((entry) => entry.weight)?.name;
    if (expected.pick === null) expect(next()).toBeUndefined();
    for (const name of expected.pick_sequence ?? []) expect(next()).toBe(name);
    const counts: Record<string, number> = {};
    for (let pick = 0; pick < (given.picks ?? 0); pick++) {
      const name = next() ?? '';
      counts[name] = (counts[name] ?? 0) + 1;
    }
    if (expected.pick_counts !== undefined) expect(counts).toEqual(expected.pick_counts);
  });
});

interface HashCase {
  id: string;
  given: Record<string, unknown> & { hosts?: string[]; hash_function?: string };
  expected: Record<string, unknown>;
}
const hash = corpusCases<HashCase>('envoy-stateful/hash.json');
describe.skipIf(hash === undefined)('consistent hashing as in Envoy´s own tests (needs the corpora)', () => {
  const cases = (hash ?? []).filter(
    ({ given }) => given['host_names'] === undefined && given['hash_function'] !== 'MURMUR_HASH_2',
  );
  const rings = cases.filter(({ expected }) => expected['ring'] !== undefined && expected['picks'] === undefined);
  it.each(rings.filter(({ given }) => Array.isArray(given.hosts)))('ring: $id', ({ given, expected }) => {
    const list = (given.hosts ?? []).map((each) => host(each));
    const ring = buildRing(
      list,
      Number(given['minimum_ring_size'] ?? 1024),
      Number(given['maximum_ring_size'] ?? 8_388_608),
    );
    expect(ring.map((point) => ({ host: point.host.address, position: String(point.position) }))).toEqual(
      expected['ring'],
    );
  });
  const tables = cases.filter(({ expected }) => Array.isArray(expected['table']));
  it.each(tables)('maglev table: $id', ({ given, expected }) => {
    const list = (given.hosts ?? []).map((each) => host(each));
    expect(buildMaglevTable(list, Number(given['table_size'])).map(({ address }) => address)).toEqual(
      expected['table'],
    );
  });
  it.each(cases.filter(({ id }) => id.startsWith('maglev-retry')))('$id', ({ given, expected }) => {
    const picker = maglevPicker(
      (given.hosts ?? []).map((each) => host(each)),
      Number(given['table_size']),
    );
    const refused = given['hosts_refused_by_retry_predicate'];
    let chosen: Host | undefined = undefined;
    for (let attempt = 0; attempt <= Number(given['host_selection_max_attempts']); attempt++) {
      chosen = picker.pick(seededDraws(1), BigInt(String(given['request_hash'])), attempt);
      if (refused !== 'all' && !(refused as string[]).includes(chosen?.address ?? '')) break;
    }
    expect(chosen?.address).toBe(expected['host']);
  });
});
