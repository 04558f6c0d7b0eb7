// The clusters that an action may send to, with cumulative weights (Envoy: WeightedCluster; the sum of the weights is the total).
import type { Any, RouteAction, WeightedCluster as WeightedMessage, WeightedCluster_ClusterWeight } from '@heddle/xds';
import type { HttpFilter } from '../../filters/http-filter.js';
import { headerKey } from '../../matching/header-matcher.js';
import type { CompileReport } from '../compile-report.js';
import { type HeaderLevel, mergeHeaderLevels } from '../format/header-operations.js';
import type { WeightedCluster, WeightedClusters } from '../route-snapshot.js';
import { checkHeaderValue } from './header-value.js';

/** What an entry needs from the levels above it. */
export interface EntryContext {
  /** Filters with the overrides of entry number `entry` over the route's; undefined when it has none. */
  readonly filtersFor: (
    overrides: Readonly<Record<string, Any>>,
    entry: number,
    path: string,
  ) => readonly HttpFilter[] | undefined;
  /** Levels of the table, virtual host and route to apply before the entry's own (most_specific_header_mutations_wins), else none. */
  readonly before: (direction: 'request' | 'response') => readonly HeaderLevel[];
}

const MAX_TOTAL = 0xffff_ffff;

/** One cluster that takes everything. */
export function singleCluster(name: string): WeightedClusters {
  return { entries: [entry(name, 1, 1)], totalWeight: 1 };
}

/** Compiles `cluster`, `cluster_header` (an entry without a name) or `weighted_clusters`. */
export function compileClusters(
  specifier: RouteAction['clusterSpecifier'],
  path: string,
  context: EntryContext,
  report: CompileReport,
): WeightedClusters {
  switch (specifier.case) {
    case 'cluster':
      if (specifier.value === '') report.fault(`${path}.cluster`, 'must not be empty');
      return singleCluster(specifier.value);
    case 'clusterHeader':
      checkClusterHeader(specifier.value, `${path}.cluster_header`, report);
      return { entries: [{ ...entry('', 1, 1), clusterHeader: headerKey(specifier.value) }], totalWeight: 1 };
    case 'weightedClusters':
      return compileWeighted(specifier.value, `${path}.weighted_clusters`, context, report);
    case 'clusterSpecifierPlugin':
    case 'inlineClusterSpecifierPlugin':
      report.fault(path, 'cluster specifier plugins are not supported');
      return singleCluster('');
    case undefined:
      report.fault(path, 'no cluster is set');
      return singleCluster('');
  }
}

export function checkClusterHeader(name: string, path: string, report: CompileReport): void {
  if (!/^:?[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/.test(name))
    report.fault(path, `${JSON.stringify(name)} is not a header name`);
}

function compileWeighted(
  message: WeightedMessage,
  path: string,
  context: EntryContext,
  report: CompileReport,
): WeightedClusters {
  let total = 0;
  const entries = message.clusters.map((cluster, index) => {
    total += cluster.weight ?? 0;
    return compileEntry(cluster, index, total, `${path}.clusters[${index}]`, context, report);
  });
  if (entries.length === 0) report.fault(`${path}.clusters`, 'must not be empty');
  else if (total === 0) report.fault(path, 'the weights add up to 0');
  if (total > MAX_TOTAL) report.fault(path, `the sum of the weights exceeds ${MAX_TOTAL}`);
  return { entries, totalWeight: total };
}

function compileEntry(
  cluster: WeightedCluster_ClusterWeight,
  index: number,
  cumulativeWeight: number,
  path: string,
  context: EntryContext,
  report: CompileReport,
): WeightedCluster {
  const { name, clusterHeader } = cluster;
  if ((name === '') === (clusterHeader === ''))
    report.fault(path, 'exactly one of name and cluster_header must be set');
  if (cluster.weight === undefined) report.fault(`${path}.weight`, 'must be set');
  if (clusterHeader !== '') checkClusterHeader(clusterHeader, `${path}.cluster_header`, report);
  const literal = cluster.hostRewriteSpecifier.value;
  if (literal !== undefined) checkHeaderValue(literal, `${path}.host_rewrite_literal`, report);
  return {
    ...entry(name, cluster.weight ?? 0, cumulativeWeight),
    clusterHeader: clusterHeader === '' ? undefined : headerKey(clusterHeader),
    hostRewrite: literal,
    requestHeaders: entryHeaders(cluster, 'request', path, context, report),
    responseHeaders: entryHeaders(cluster, 'response', path, context, report),
    filters: context.filtersFor(cluster.typedPerFilterConfig, index, path),
  };
}

function entryHeaders(
  cluster: WeightedCluster_ClusterWeight,
  direction: 'request' | 'response',
  path: string,
  context: EntryContext,
  report: CompileReport,
) {
  const add = direction === 'request' ? cluster.requestHeadersToAdd : cluster.responseHeadersToAdd;
  const remove = direction === 'request' ? cluster.requestHeadersToRemove : cluster.responseHeadersToRemove;
  const own: HeaderLevel = { add, remove, path: `${path}.${direction}_headers` };
  return mergeHeaderLevels([...context.before(direction), own], report);
}

function entry(name: string, weight: number, cumulativeWeight: number): WeightedCluster {
  return {
    name,
    weight,
    cumulativeWeight,
    clusterHeader: undefined,
    hostRewrite: undefined,
    requestHeaders: undefined,
    responseHeaders: undefined,
    filters: undefined,
  };
}
