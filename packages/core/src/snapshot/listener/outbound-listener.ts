// Compiles an outbound listener: HTTP through its connection manager, or TCP to its clusters.
import type { HttpConnectionManager, Listener, TcpProxy } from '@heddle/xds';
import { singleCluster } from '../action/weighted-clusters.js';
import type { CompileReport } from '../compile-report.js';
import { CompiledRouteTable } from '../route/route-table.js';
import { decodedSource } from '../route/table-source.js';
import type { OutboundListener, WeightedClusters } from '../route-snapshot.js';
import { type FilterDeps, HttpFilterChain } from './http-filter-chain.js';
import { pathOptionsOf } from './path-options.js';
import { type TerminalFilter, apiManagerOf, chainsOf, terminalOf } from './listener-parse.js';

/** A listener and what its routes are compiled with. */
export interface CompiledOutbound {
  readonly listener: OutboundListener;
  /** Filters of the connection manager; undefined for TCP. */
  readonly chain: HttpFilterChain | undefined;
  /** Name of the RouteConfiguration that it asks for; undefined for inline routes and TCP. */
  readonly routeName: string | undefined;
  readonly inlineTable: CompiledRouteTable | undefined;
  readonly report: CompileReport;
}

/** Undefined target: a listener that takes nothing that a call can bring (its faults or reports say why). */
export function compileOutboundListener(
  message: Listener,
  version: string,
  deps: FilterDeps,
  report: CompileReport,
): CompiledOutbound | undefined {
  const api = apiManagerOf(message, report);
  if (api !== undefined) return httpListener(message.name, version, api, 'api_listener.api_listener', deps, report);
  const terminal = chooseTerminal(message, report);
  if (terminal === undefined) return undefined;
  return terminal.kind === 'http'
    ? httpListener(message.name, version, terminal.manager, terminal.path, deps, report)
    : tcpListener(message.name, terminal.proxy, terminal.path, report);
}

/**
 * The chain that a call meets. Calls are plain HTTP or opaque bytes to one port, so chains for TLS passthrough, for other ports (virtualOutbound's
 * black hole) and for single addresses come last; an HTTP chain wins over a TCP one, as Envoy's protocol detection would have it.
 */
function chooseTerminal(message: Listener, report: CompileReport): TerminalFilter | undefined {
  let best: { readonly terminal: TerminalFilter; readonly rank: number } | undefined;
  for (const { chain, path } of chainsOf(message)) {
    const terminal = terminalOf(chain, path, report);
    if (terminal === undefined) continue;
    const match = chain.filterChainMatch;
    const special =
      match !== undefined &&
      (match.destinationPort !== undefined ||
        match.prefixRanges.length > 0 ||
        match.serverNames.length > 0 ||
        match.transportProtocol === 'tls');
    const rank = (special ? 0 : 2) + (terminal.kind === 'http' ? 1 : 0);
    if (best === undefined || rank > best.rank) best = { terminal, rank };
  }
  return best?.terminal;
}

function httpListener(
  name: string,
  version: string,
  manager: HttpConnectionManager,
  path: string,
  deps: FilterDeps,
  report: CompileReport,
): CompiledOutbound {
  const place = { scope: `outbound/${name}`, direction: 'outbound' } as const;
  const chain = new HttpFilterChain(manager.httpFilters, place, deps, `${path}.http_filters`, report);
  const specifier = manager.routeSpecifier;
  const inlineTable =
    specifier.case === 'routeConfig'
      ? new CompiledRouteTable(decodedSource(specifier.value), version, { chain, state: chain.filterState }, report)
      : undefined;
  const routeName = specifier.case === 'rds' ? specifier.value.routeConfigName : undefined;
  if (specifier.case === 'scopedRoutes') report.fault(`${path}.scoped_routes`, 'is not supported');
  const target = {
    kind: 'http',
    routeName: routeName ?? inlineTable?.name ?? '',
    inlineRoutes: inlineTable,
    filters: chain.base,
    paths: pathOptionsOf(manager),
  } as const;
  return { listener: { name, target }, chain, routeName, inlineTable, report };
}

function tcpListener(name: string, proxy: TcpProxy, path: string, report: CompileReport): CompiledOutbound {
  const clusters = tcpClusters(proxy, path, report);
  return {
    listener: { name, target: { kind: 'tcp', clusters } },
    chain: undefined,
    routeName: undefined,
    inlineTable: undefined,
    report,
  };
}

function tcpClusters(proxy: TcpProxy, path: string, report: CompileReport): WeightedClusters {
  const specifier = proxy.clusterSpecifier;
  if (proxy.tunnelingConfig !== undefined) report.fault(`${path}.tunneling_config`, 'is not supported');
  if (specifier.case !== 'weightedClusters') {
    if (specifier.case === undefined) report.fault(path, 'no cluster is set');
    return singleCluster(specifier.value ?? '');
  }
  let total = 0;
  const entries = specifier.value.clusters.map(({ name, weight }) => {
    total += weight;
    const [entry] = singleCluster(name).entries;
    return {
      ...entry,
      name,
      weight,
      cumulativeWeight: total,
      requestHeaders: undefined,
      responseHeaders: undefined,
      filters: undefined,
    };
  });
  if (total === 0) report.fault(`${path}.weighted_clusters`, 'the weights add up to 0');
  return { entries, totalWeight: total };
}
