// What the subscriptions ask about a resource before it takes effect: is it good, and what does it need. Compiles it once for its faults and keeps only
// the verdict.
import {
  CLUSTER_TYPE_URL,
  ENDPOINT_TYPE_URL,
  LISTENER_TYPE_URL,
  ROUTE_TYPE_URL,
  type RawResource,
  SECRET_TYPE_URL,
} from '@heddle/xds';
import { systemClock } from '../../clock.js';
import type { ResourceInspector, ResourceReference } from '../../feed/resource-view.js';
import type { FilterKind, FilterStateStore } from '../../filters/http-filter.js';
import type { NetworkFilterKind } from '../../filters/network-filter.js';
import { compileCluster } from '../cluster/cluster-compile.js';
import { compileAssignment } from '../cluster/endpoint-compile.js';
import { CompileReport } from '../compile-report.js';
import { finish } from '../compile-steps.js';
import { compileInboundListener } from '../listener/inbound-compile.js';
import { isInbound } from '../listener/listener-parse.js';
import { compileOutboundListener } from '../listener/outbound-listener.js';
import { decodeAssignment, decodeCluster, decodeListener, resourceLabel } from './resource-decode.js';
import { addHostClusters, clusterReferences, clustersByName, listenerReferences } from './resource-references.js';
import { CompiledRouteTable } from '../route/route-table.js';
import { wireSource } from '../route/table-source.js';

interface Verdict {
  readonly refusal: string | undefined;
  readonly references: readonly ResourceReference[];
}

/** State that a check makes and throws away. */
const scratchState: FilterStateStore = { stateFor: (_, create) => create() };

/** The inspector for these kinds of filters. Network filters that enforce policy refuse their listener where no kind is given for them. */
export function createInspector(
  filterKinds: readonly FilterKind[],
  networkFilterKinds: readonly NetworkFilterKind[] = [],
): Required<ResourceInspector> {
  const deps = { filterKinds, networkFilterKinds, filterState: scratchState, clock: systemClock };
  const verdicts = new WeakMap<RawResource, Verdict>();
  function* inspect(raw: RawResource): Generator<void, void, void> {
    if (!verdicts.has(raw)) verdicts.set(raw, yield* verdictSteps(raw, deps));
  }
  const verdictOf = (raw: RawResource): Verdict => {
    finish(inspect(raw));
    return verdicts.get(raw) ?? { refusal: undefined, references: [] };
  };
  return { inspect, refusal: (raw) => verdictOf(raw).refusal, references: (raw) => verdictOf(raw).references };
}

type CheckDeps = Parameters<typeof compileOutboundListener>[2] & {
  readonly networkFilterKinds: readonly NetworkFilterKind[];
};

function* verdictSteps(raw: RawResource, deps: CheckDeps): Generator<void, Verdict, void> {
  const report = new CompileReport(resourceLabel(raw));
  let references: readonly ResourceReference[] = [];
  try {
    references = yield* check(raw, deps, report);
  } catch (cause) {
    report.fault('', cause instanceof Error ? cause.message : String(cause));
  }
  return { refusal: report.refusal, references };
}

function* check(
  raw: RawResource,
  deps: CheckDeps,
  report: CompileReport,
): Generator<void, readonly ResourceReference[], void> {
  switch (raw.typeUrl) {
    case LISTENER_TYPE_URL:
      return yield* checkListener(raw, deps, report);
    case ROUTE_TYPE_URL: {
      const source = wireSource(raw);
      yield;
      const table = new CompiledRouteTable(source, raw.version, undefined, report);
      const clusters = new Set<string>();
      yield* table.check(report, deps, (host) => addHostClusters(host, clusters));
      return clustersByName(clusters);
    }
    case CLUSTER_TYPE_URL: {
      const cluster = decodeCluster(raw);
      compileCluster(cluster, raw.version, report);
      return clusterReferences(cluster);
    }
    case ENDPOINT_TYPE_URL:
      compileAssignment(decodeAssignment(raw), raw.version, report);
      return [];
    case SECRET_TYPE_URL:
      return [];
  }
}

function* checkListener(
  raw: RawResource,
  deps: CheckDeps,
  report: CompileReport,
): Generator<void, readonly ResourceReference[], void> {
  const listener = decodeListener(raw);
  if (isInbound(listener)) compileInboundListener(listener, raw.version, { ...deps, routes: () => undefined }, report);
  else {
    const table = compileOutboundListener(listener, raw.version, deps, report)?.inlineTable;
    if (table !== undefined) yield* table.check(report, deps);
  }
  return listenerReferences(listener);
}
