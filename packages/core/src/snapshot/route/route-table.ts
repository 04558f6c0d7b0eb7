// A compiled RouteConfiguration: domains are indexed at once, each virtual host is compiled when the first request meets it.
import type { RouteConfiguration, VirtualHost } from '@heddle/xds';
import { asciiLower } from '../../matching/ascii-case.js';
import type { CompileReport } from '../compile-report.js';
import type { HeaderLevel } from '../format/header-operations.js';
import { type FilterDeps, type HttpFilterChain, checkOverrides } from '../listener/http-filter-chain.js';
import type { RouteTable } from '../route-snapshot.js';
import { DomainIndex } from './domain-index.js';
import type { FilterLevel, RouteScope } from './route-entry.js';
import { CompiledVirtualHost } from './virtual-host.js';

/** Envoy's default limit of direct response bodies. */
const MAX_DIRECT_BODY_BYTES = 4096;

export class CompiledRouteTable implements RouteTable {
  readonly name: string;
  readonly #domains: DomainIndex;
  readonly #hosts: (CompiledVirtualHost | undefined)[];

  /** `chain` is the filter chain of the listener that uses the table; undefined: no filters. */
  constructor(
    private readonly message: RouteConfiguration,
    readonly version: string,
    private readonly chain: HttpFilterChain | undefined,
    private readonly report: CompileReport,
  ) {
    this.name = message.name;
    this.#domains = new DomainIndex(
      message.virtualHosts.map((host) => host.domains),
      message.ignorePortInHostMatching,
      report,
    );
    this.#hosts = message.virtualHosts.map(() => undefined);
    for (const name of repeated(message.virtualHosts.map((host) => asciiLower(host.name))))
      report.fault('virtual_hosts', `two virtual hosts are named ${JSON.stringify(name)}`);
    if (message.vhds !== undefined) report.ignored('vhds', 'virtual hosts are not discovered on demand');
  }

  virtualHost(authority: string): CompiledVirtualHost | undefined {
    const index = this.#domains.find(authority);
    return index === undefined ? undefined : this.#hostAt(index, this.report);
  }

  /** Compiles everything once, for the faults and unsupported fields alone; `deps` checks overrides where the filter chain is not known. */
  check(report: CompileReport, deps: FilterDeps): void {
    const { typedPerFilterConfig } = this.message;
    checkOverrides(typedPerFilterConfig, deps, '', report);
    for (const [index, host] of this.message.virtualHosts.entries()) {
      new CompiledVirtualHost(host, this.#scope(host, index), `virtual_hosts[${index}]`, report).check(report);
      if (this.chain === undefined) checkHostOverrides(host, index, deps, report);
    }
  }

  /** Compiles every virtual host and plan and keeps them. */
  compileAll(): void {
    for (const index of this.#hosts.keys()) this.#hostAt(index, this.report)?.compileAll();
  }

  #hostAt(index: number, report: CompileReport): CompiledVirtualHost | undefined {
    const known = this.#hosts[index];
    const message = this.message.virtualHosts[index];
    if (known !== undefined || message === undefined) return known;
    const compiled = new CompiledVirtualHost(message, this.#scope(message, index), `virtual_hosts[${index}]`, report);
    this.#hosts[index] = compiled;
    return compiled;
  }

  #scope(host: VirtualHost, index: number): RouteScope {
    const { message, chain } = this;
    const path = `virtual_hosts[${index}].`;
    const levels = {
      request: [levelOf(host, 'request', path), levelOf(message, 'request', '')],
      response: [levelOf(host, 'response', path), levelOf(message, 'response', '')],
    };
    return {
      tableName: message.name,
      virtualHostName: host.name,
      headerLevels: (direction) => levels[direction],
      mostSpecificHeadersWin: message.mostSpecificHeaderMutationsWins,
      retryPolicy: host.retryPolicy,
      mirrors: host.requestMirrorPolicies.length > 0 ? host.requestMirrorPolicies : message.requestMirrorPolicies,
      maxDirectBodyBytes: message.maxDirectResponseBodySizeBytes ?? MAX_DIRECT_BODY_BYTES,
      filtersFor: (levels, scope, path, report) =>
        chain === undefined
          ? []
          : chain.withOverrides(
              mergedLevels([...levels, host.typedPerFilterConfig, message.typedPerFilterConfig]),
              scope,
              path,
              report,
            ),
    };
  }
}

/** The most specific level wins for each filter name (Envoy: mostSpecificPerFilterConfig). */
function mergedLevels(levels: readonly FilterLevel[]): FilterLevel {
  return Object.assign(Object.create(null) as object, ...[...levels].reverse()) as FilterLevel;
}

function checkHostOverrides(host: VirtualHost, index: number, deps: FilterDeps, report: CompileReport): void {
  const path = `virtual_hosts[${index}]`;
  checkOverrides(host.typedPerFilterConfig, deps, path, report);
  for (const [position, route] of host.routes.entries()) {
    checkOverrides(route.typedPerFilterConfig, deps, `${path}.routes[${position}]`, report);
    if (route.action.case !== 'route' || route.action.value.clusterSpecifier.case !== 'weightedClusters') continue;
    for (const [entry, cluster] of route.action.value.clusterSpecifier.value.clusters.entries())
      checkOverrides(
        cluster.typedPerFilterConfig,
        deps,
        `${path}.routes[${position}].route.weighted_clusters.clusters[${entry}]`,
        report,
      );
  }
}

function levelOf(
  message: Pick<
    VirtualHost,
    'requestHeadersToAdd' | 'requestHeadersToRemove' | 'responseHeadersToAdd' | 'responseHeadersToRemove'
  >,
  direction: 'request' | 'response',
  prefix: string,
): HeaderLevel {
  return direction === 'request'
    ? { add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove, path: `${prefix}request_headers` }
    : { add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove, path: `${prefix}response_headers` };
}

function repeated(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) twice.add(name);
    seen.add(name);
  }
  return twice;
}
