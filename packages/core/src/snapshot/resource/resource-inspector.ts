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
import { compileInboundListener } from '../listener/inbound-compile.js';
import { isInbound } from '../listener/listener-parse.js';
import { compileOutboundListener } from '../listener/outbound-listener.js';
import { decodeAssignment, decodeCluster, decodeListener, decodeRoutes, resourceLabel } from './resource-decode.js';
import { clusterReferences, listenerReferences, routeReferences } from './resource-references.js';
import { CompiledRouteTable } from '../route/route-table.js';

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
): ResourceInspector {
  const deps = { filterKinds, networkFilterKinds, filterState: scratchState, clock: systemClock };
  const verdicts = new WeakMap<RawResource, Verdict>();
  const verdictOf = (raw: RawResource): Verdict => {
    let verdict = verdicts.get(raw);
    if (verdict === undefined) verdicts.set(raw, (verdict = inspect(raw, deps)));
    return verdict;
  };
  return { refusal: (raw) => verdictOf(raw).refusal, references: (raw) => verdictOf(raw).references };
}

type CheckDeps = Parameters<typeof compileOutboundListener>[2] & {
  readonly networkFilterKinds: readonly NetworkFilterKind[];
};

function inspect(raw: RawResource, deps: CheckDeps): Verdict {
  const report = new CompileReport(resourceLabel(raw));
  const references = report.attempt('', () => check(raw, deps, report)) ?? [];
  return { refusal: report.refusal, references };
}

function check(raw: RawResource, deps: CheckDeps, report: CompileReport): readonly ResourceReference[] {
  switch (raw.typeUrl) {
    case LISTENER_TYPE_URL: {
      const listener = decodeListener(raw);
      if (isInbound(listener))
        compileInboundListener(listener, raw.version, { ...deps, routes: () => undefined }, report);
      else compileOutboundListener(listener, raw.version, deps, report)?.inlineTable?.check(report, deps);
      return listenerReferences(listener);
    }
    case ROUTE_TYPE_URL: {
      const routes = decodeRoutes(raw);
      new CompiledRouteTable(routes, raw.version, undefined, report).check(report, deps);
      return routeReferences(routes);
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
