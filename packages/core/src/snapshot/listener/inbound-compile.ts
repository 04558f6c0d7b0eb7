// Compiles inbound listeners (`virtualInbound`, or the on-demand ones of gRPC servers) into one InboundSnapshot.
import type { FilterChain, Listener } from '@heddle/xds';
import type { NetworkFilter, NetworkFilterKind } from '../../filters/network-filter.js';
import type { CompileReport } from '../compile-report.js';
import type { ConnectionFacts, FilterChainSnapshot, InboundSnapshot, PortMode } from '../inbound-snapshot.js';
import { compileDownstreamTls } from './downstream-tls.js';
import { type MatchStep, compileChainMatch, findChain } from './filter-chain-match.js';
import type { FilterDeps } from './http-filter-chain.js';
import { type RoutesByName, compileInboundHttp } from './inbound-http.js';
import { ISTIO_NETWORK_FILTERS, isSecurityFilter } from './known-filters.js';
import { filterTypeUrl, inboundPortOf, terminalOf } from './listener-parse.js';

export interface InboundDeps extends FilterDeps {
  readonly networkFilterKinds: readonly NetworkFilterKind[];
  readonly routes: RoutesByName;
}

/** A chain with what decides whether it is met. */
export interface CompiledChain extends FilterChainSnapshot {
  readonly steps: readonly MatchStep[];
  /** Destination port that it is for; undefined: any. */
  readonly port: number | undefined;
  /** Transport that it is for; empty: both. */
  readonly transport: string;
}

export interface CompiledInbound {
  readonly chains: readonly CompiledChain[];
  readonly fallback: CompiledChain | undefined;
  readonly version: string;
}

export function compileInboundListener(
  message: Listener,
  version: string,
  deps: InboundDeps,
  report: CompileReport,
): CompiledInbound {
  const port = inboundPortOf(message.name);
  if (message.filterChainMatcher !== undefined) report.fault('filter_chain_matcher', 'is not supported');
  const compile = (chain: FilterChain, path: string) => compileChain(chain, port, path, version, deps, report);
  return {
    version,
    chains: message.filterChains.map((chain, index) => compile(chain, `filter_chains[${index}]`)),
    fallback:
      message.defaultFilterChain === undefined
        ? undefined
        : compile(message.defaultFilterChain, 'default_filter_chain'),
  };
}

/** One snapshot of all inbound listeners. */
export function joinInbound(listeners: readonly CompiledInbound[]): InboundSnapshot {
  const chains = listeners.flatMap((listener) => listener.chains);
  const fallback = listeners.find((listener) => listener.fallback !== undefined)?.fallback;
  return {
    version: listeners.map((listener) => listener.version).join(','),
    chains: fallback === undefined ? chains : [...chains, fallback],
    chainFor: (facts: ConnectionFacts) => findChain(chains, facts) ?? fallback,
    portMode: (port) => portModeOf(chains, fallback, port),
  };
}

function portModeOf(chains: readonly CompiledChain[], fallback: CompiledChain | undefined, port: number): PortMode {
  // Envoy: chains for exactly this port hide those for any port.
  const exact = chains.filter((chain) => chain.port === port);
  const open = exact.length > 0 ? exact : chains.filter((chain) => chain.port === undefined);
  const all = fallback === undefined ? open : [...open, fallback];
  const contexts = new Map(
    all.flatMap((chain) =>
      chain.tls === undefined || chain.transport === 'raw_buffer' ? [] : [[chain.tls.key, chain.tls]],
    ),
  );
  const plain = all.some((chain) => chain.tls === undefined && chain.transport !== 'tls');
  return { tls: contexts.size > 0, plain, contexts: [...contexts.values()] };
}

function compileChain(
  chain: FilterChain,
  listenerPort: number | undefined,
  path: string,
  version: string,
  deps: InboundDeps,
  report: CompileReport,
): CompiledChain {
  const match = chain.filterChainMatch;
  const port = match?.destinationPort ?? listenerPort;
  const scope = `inbound/${port ?? 'any'}/${chain.name}`;
  return {
    name: chain.name,
    steps: compileChainMatch(match, listenerPort, `${path}.filter_chain_match`, report),
    port,
    transport: match?.transportProtocol ?? '',
    tls: compileDownstreamTls(chain.transportSocket, `${path}.transport_socket`, report),
    networkFilters: compileNetworkFilters(chain, scope, path, deps, report),
    handler: handlerOf(chain, scope, path, version, deps, report),
  };
}

function handlerOf(
  chain: FilterChain,
  scope: string,
  path: string,
  version: string,
  deps: InboundDeps,
  report: CompileReport,
): FilterChainSnapshot['handler'] {
  const terminal = terminalOf(chain, path, report);
  if (terminal?.kind !== 'http') return { kind: 'tcp' };
  const http = compileInboundHttp(terminal.manager, scope, version, deps.routes, deps, terminal.path, report);
  return { kind: 'http', http };
}

function compileNetworkFilters(
  chain: FilterChain,
  scope: string,
  path: string,
  deps: InboundDeps,
  report: CompileReport,
): readonly NetworkFilter[] {
  const filters: NetworkFilter[] = [];
  for (const [index, filter] of chain.filters.entries()) {
    const at = `${path}.filters[${index}]`;
    const typeUrl = filterTypeUrl(filter);
    const config = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
    const kind = deps.networkFilterKinds.find((known) => known.typeUrl === typeUrl);
    if (kind !== undefined) {
      const build = {
        name: filter.name,
        scope,
        direction: 'inbound',
        clock: deps.clock,
        state: deps.filterState,
        unsupported: (field: string, consequence: string) =>
          report.ignored(`${at}${field.replace(/^\$/, '')}`, consequence),
      } as const;
      const compiled = report.attempt(at, () => kind.compile(config, build));
      if (compiled !== undefined) filters.push(compiled);
    } else if (!isTerminal(typeUrl) && !ISTIO_NETWORK_FILTERS.has(filter.name))
      reportUnknown(filter.name, typeUrl, at, report);
  }
  return filters;
}

function reportUnknown(name: string, typeUrl: string, path: string, report: CompileReport): void {
  if (isSecurityFilter(name, typeUrl))
    report.fault(path, `the filter ${name} (${typeUrl}) enforces policy and is not known: refusing to run without it`);
  else report.ignored(path, `the filter ${name} (${typeUrl}) is not run`);
}

function isTerminal(typeUrl: string): boolean {
  return /\.(http_connection_manager|tcp_proxy)\.v3\./.test(typeUrl);
}
