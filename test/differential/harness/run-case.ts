// Runs one case: each request by every lane, compared with Envoy's.
import { setTimeout } from 'node:timers/promises';
import type { CaseFile, CaseRequest } from './case-file.js';
import { ALWAYS, DIRECT, type Difference, differences, distributionDiffers, outcome } from './compare.js';
import { type LaneRun, lanesOf } from './lanes.js';
import type { Observation } from './observation.js';
import { type Binaries, type Planes, startPlanes } from './planes.js';
import { RawClient } from './raw-call.js';

export interface RequestResult {
  readonly request: string;
  /** What the caller got by Envoy, in short. */
  readonly outcome: string;
  /** By lane, without those that are known and meant. */
  readonly differences: readonly (Difference & { readonly lane: string })[];
}

export async function runCase(
  file: CaseFile,
  binaries: Binaries,
  onResult: (result: RequestResult) => void = () => undefined,
): Promise<readonly RequestResult[]> {
  const planes = await startPlanes(file, binaries);
  const raw = new RawClient();
  const results: RequestResult[] = [];
  try {
    for (const [index, call] of file.requests.entries()) {
      const result = await runRequest(call, index, planes, raw);
      onResult(result);
      results.push(result);
    }
  } finally {
    raw.close();
    await planes.stop();
  }
  return results;
}

async function runRequest(call: CaseRequest, index: number, planes: Planes, raw: RawClient): Promise<RequestResult> {
  if (call.afterMs !== undefined) await setTimeout(call.afterMs);
  const [first, ...others] = lanesOf(call, planes, raw) as [LaneRun, ...LaneRun[]];
  const runs = await Promise.all(
    [first, ...others].map((lane) => sendAll(call, lane, `${String(index)} ${lane.name}`)),
  );
  const [envoy = [], ...rest] = runs;
  const found = others.flatMap(({ name }, at) =>
    compareRuns(call, envoy, rest[at] ?? []).map((difference) => ({ ...difference, lane: name })),
  );
  const known = { ...ALWAYS, ...(call.via === 'direct' ? DIRECT : {}), ...call.deviates };
  const unmet = expectations(call, envoy).map((difference) => ({ ...difference, lane: first.name }));
  return {
    request: call.name,
    outcome: [...tally(call, envoy)].map(([what, count]) => `${what} (${String(count)})`).join(', '),
    differences: [...unmet, ...found.filter(({ field }) => known[field] === undefined)],
  };
}

async function sendAll(call: CaseRequest, lane: LaneRun, id: string): Promise<Observation[]> {
  const times = call.times ?? 1;
  const results: Observation[] = [];
  let next = 0;
  const worker = async () => {
    while (next < times) {
      const at = next++;
      results[at] = await lane.send(`${id} ${String(at)}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(times, call.concurrency ?? 1) }, worker));
  return results;
}

function compareRuns(call: CaseRequest, envoy: readonly Observation[], heddle: readonly Observation[]): Difference[] {
  if (call.times === undefined || call.inOrder === true)
    return distinct(envoy.flatMap((each, at) => differences(call, each, heddle[at] as Observation)));
  const [theirs, ours] = [tally(call, envoy), tally(call, heddle)];
  if (!distributionDiffers(theirs, ours)) return [];
  return [{ field: 'distribution', envoy: shown(theirs), heddle: shown(ours) }];
}

function distinct(found: readonly Difference[]): Difference[] {
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

function tally(call: CaseRequest, runs: readonly Observation[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(outcome(call, run), (counts.get(outcome(call, run)) ?? 0) + 1);
  return counts;
}

const shown = (counts: ReadonlyMap<string, number>) =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what}: ${String(count)}`).join(', '); // prettier-ignore

/** The case's own word on what Envoy does: guards against two wrong answers that are equal. */
function expectations({ expect }: CaseRequest, [envoy]: readonly Observation[]): Difference[] {
  const unmet: Difference[] = [];
  const check = (field: string, wanted: number | undefined, came: number | undefined) => {
    if (wanted !== undefined && wanted !== came)
      unmet.push({ field: `expected ${field}`, envoy: String(came), heddle: `(the case says ${String(wanted)})` });
  };
  check('status', expect?.status, envoy?.status);
  check('attempts', expect?.attempts, envoy?.attempts.length);
  return unmet;
}
