// Differences between two observations of one request, each as `field: theirs | ours`; and between two distributions.
import type { CaseRequest } from './case-file.js';
import type { Headers, Observation } from './observation.js';

export interface Difference {
  readonly field: string;
  readonly envoy: string;
  readonly heddle: string;
}

/** Differences in every case, and why (docs/differences.md). */
export const ALWAYS: Readonly<Record<string, string>> = {
  'header server': "the library in the process is no server: the upstream's own header stays as it is",
  'header x-envoy-decorator-operation': 'names the span of an Envoy that traces; Heddle names its own',
  'upstream header x-envoy-decorator-operation': 'as above',
  'upstream header x-envoy-peer-metadata': "a stock Envoy lacks Istio's filter for it",
  'upstream header x-envoy-peer-metadata-id': 'as above',
  'upstream header traceparent': 'Heddle begins a trace where nobody did',
  'upstream header tracestate': 'as above',
  'upstream header b3': 'as above',
  'upstream header x-b3-traceid': 'as above',
  'upstream header x-b3-spanid': 'as above',
  'upstream header x-b3-sampled': 'as above',
  'upstream header x-b3-parentspanid': 'as above',
};

/** Differences of a server that is called straight. */
export const DIRECT: Readonly<Record<string, string>> = {
  'header x-envoy-upstream-service-time': 'the application is no upstream of a server in its own process',
  'upstream header x-request-id': 'made where something reads it: req.mesh, logs, spans and calls have it',
};

export function differences(call: CaseRequest, envoy: Observation, heddle: Observation): readonly Difference[] {
  const found: Difference[] = [];
  const compare = (field: string, theirs: string, ours: string) => {
    if (theirs !== ours) found.push({ field, envoy: theirs, heddle: ours });
  };
  compare('status', String(envoy.status), String(heddle.status));
  compare('end', envoy.end, heddle.end);
  compare('body', serviceNames(call, envoy.body), serviceNames(call, heddle.body));
  compareHeaders('header', envoy.headers, heddle.headers, compare);
  compare('attempts', String(envoy.attempts.length), String(heddle.attempts.length));
  for (const [index, theirs] of envoy.attempts.entries()) {
    const ours = heddle.attempts[index];
    if (ours === undefined) break;
    const name = (workload: string) => (call.upstreams === 'service' ? serviceOf(workload) : workload);
    compare('upstream', name(theirs.workload), name(ours.workload));
    compare('upstream method', theirs.method, ours.method);
    compare('upstream url', theirs.url, ours.url);
    compare('upstream body', theirs.body, ours.body);
    compareHeaders('upstream header', theirs.headers, ours.headers, compare);
  }
  const tolerance = call.toleranceMs ?? 150;
  const [a, b] = [Math.round(envoy.elapsedMs), Math.round(heddle.elapsedMs)];
  if (Math.abs(a - b) > tolerance) found.push({ field: 'time', envoy: `${String(a)} ms`, heddle: `${String(b)} ms` });
  return found;
}

function compareHeaders(
  field: string,
  envoy: Headers,
  heddle: Headers,
  compare: (field: string, theirs: string, ours: string) => void,
): void {
  for (const name of new Set([...Object.keys(envoy), ...Object.keys(heddle)]))
    compare(`${field} ${name}`, lanesAlike(envoy[name]), lanesAlike(heddle[name]));
}

/** The servers of a pair differ by their names. */
const lanesAlike = (value: string | undefined) => (value ?? '(none)').replace(/server-[eh]\b/g, 'server');

const serviceOf = (workload: string) => workload.replace(/-[^-]+$/, '');

/** Upstreams say their name first. */
const serviceNames = (call: CaseRequest, body: string) =>
  call.upstreams === 'service' ? body.replace(/^(\w+)-v\d /, '$1 ') : body;

/** What a distribution counts: the status and the workload that answered. */
export function outcome(call: CaseRequest, { status, end, attempts }: Observation): string {
  const last = attempts[attempts.length - 1]?.workload ?? '-';
  const workload = call.upstreams === 'service' ? serviceOf(last) : last;
  return `${String(status)} ${end} ${workload} in ${String(attempts.length)}`;
}

/** Two-sample chi-square over the categories; the bound is far out (p about 1e-4), so that chance alone hardly ever fails. */
export function distributionDiffers(envoy: ReadonlyMap<string, number>, heddle: ReadonlyMap<string, number>): boolean {
  const total = (map: ReadonlyMap<string, number>) => [...map.values()].reduce((sum, count) => sum + count, 0);
  const [n, m] = [total(envoy), total(heddle)];
  const keys = [...new Set([...envoy.keys(), ...heddle.keys()])];
  let square = 0;
  for (const key of keys) {
    const [a, b] = [envoy.get(key) ?? 0, heddle.get(key) ?? 0];
    square += (Math.sqrt(m / n) * a - Math.sqrt(n / m) * b) ** 2 / (a + b);
  }
  const freedom = Math.max(1, keys.length - 1);
  return square > freedom + 3.9 * Math.sqrt(2 * freedom) + 8;
}
