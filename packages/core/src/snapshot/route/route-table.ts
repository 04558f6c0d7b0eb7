// A compiled RouteConfiguration: domains are indexed at once, each virtual host is decoded and compiled when the first request meets it.
import type { VirtualHost } from '@heddle/xds';
import { asciiLower } from '../../matching/ascii-case.js';
import type { CompileReport } from '../compile-report.js';
import { type FilterDeps, checkOverrides } from '../listener/http-filter-chain.js';
import type { RouteTable } from '../route-snapshot.js';
import type { Compiled } from '../support/unsupported-fields.js';
import { DomainIndex } from './domain-index.js';
import { KeptHost } from './kept-host.js';
import { type TableFilters, hostScope } from './route-scope.js';
import { type TableSource, sameFrame } from './table-source.js';
import { CompiledVirtualHost } from './virtual-host.js';

export class CompiledRouteTable implements RouteTable {
  readonly name: string;
  readonly #domains: DomainIndex;
  readonly #hosts: (KeptHost | undefined)[];

  /** `filters` undefined: no listener is known, the routes have no filters. `former`: an earlier version, whose equal virtual hosts are kept. */
  constructor(
    private readonly source: TableSource,
    readonly version: string,
    private readonly filters: TableFilters | undefined,
    private readonly report: CompileReport,
    former?: CompiledRouteTable,
  ) {
    const { frame, hosts } = source;
    this.name = frame.name;
    this.#domains = new DomainIndex(
      hosts.map((host) => host.domains()),
      frame.ignorePortInHostMatching,
      report,
    );
    this.#hosts = hosts.map(() => undefined);
    for (const name of repeated(hosts.map((host) => asciiLower(host.name))))
      report.fault('virtual_hosts', `two virtual hosts are named ${JSON.stringify(name)}`);
    if (frame.vhds !== undefined) report.ignored('vhds', 'virtual hosts are not discovered on demand');
    if (former !== undefined) this.#keepEqual(former);
  }

  virtualHost(authority: string): CompiledVirtualHost | undefined {
    const index = this.#domains.find(authority);
    if (index === undefined) return undefined;
    return (this.#hosts[index] ?? this.#compileHost(index))?.compiled;
  }

  /**
   * Compiles everything once, for the faults and unsupported fields alone, and shows each virtual host; a step a virtual host. `deps` checks overrides
   * where the filter chain is not known.
   */
  *check(report: CompileReport, deps: FilterDeps, see?: (host: VirtualHost) => void): Generator<void, void, void> {
    checkOverrides(this.source.frame.typedPerFilterConfig, deps, '', report);
    for (const [index, host] of this.source.hosts.entries()) {
      yield;
      const path = `virtual_hosts[${index}]`;
      const message = report.attempt(path, () => host.decode());
      if (message === undefined) continue;
      const scope = hostScope(message, path, this.source.frame, this.filters);
      new CompiledVirtualHost(message, scope, path, report).check(report);
      if (this.filters === undefined) checkHostOverrides(message, path, deps, report);
      see?.(message);
    }
  }

  /** Compiles every virtual host and plan and keeps them. */
  compileAll(): void {
    for (const index of this.#hosts.keys()) (this.#hosts[index] ?? this.#compileHost(index))?.compiled.compileAll();
  }

  /** Every part compiled so far, with what it has to say: the table without its virtual hosts, then each of them. */
  *parts(): Generator<Compiled, void, void> {
    const { frame } = this.source;
    yield { report: this.report, typeName: frame.$typeName, message: () => ({ ...frame, virtualHosts: [] }) };
    yield* this.hostParts();
  }

  *hostParts(): Generator<Compiled, void, void> {
    for (const [index, host] of this.#hosts.entries()) if (host !== undefined) yield host.part(index);
  }

  /** Keys of the filter states that the virtual hosts compiled so far hold. */
  *stateKeys(): Generator<string, void, void> {
    for (const host of this.#hosts) if (host !== undefined) yield* host.stateKeys;
  }

  #compileHost(index: number): KeptHost | undefined {
    const source = this.source.hosts[index];
    if (source === undefined) return undefined;
    const host = new KeptHost(source, index, this.source.frame, this.filters, this.report.resource);
    this.#hosts[index] = host;
    return host;
  }

  /**
   * Takes over the virtual hosts that did not change, wherever they stand now. One that did change and whose filters remember something is compiled in
   * full, so that it is known what it goes on remembering.
   */
  #keepEqual(former: CompiledRouteTable): void {
    const known = new Map<string, KeptHost>();
    for (const host of former.#hosts) if (host !== undefined) known.set(host.source.name, host);
    if (known.size === 0) return;
    const sameFilters = former.filters?.chain === this.filters?.chain && sameFrame(former.source, this.source);
    for (const [index, source] of this.source.hosts.entries()) {
      const host = known.get(source.name);
      if (host === undefined) continue;
      if (sameFilters && source.equals(host.source)) this.#hosts[index] = host.from(source);
      else if (host.stateKeys.size > 0) this.#compileHost(index)?.compiled.compileAll();
    }
  }
}

function checkHostOverrides(host: VirtualHost, path: string, deps: FilterDeps, report: CompileReport): void {
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

function repeated(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) twice.add(name);
    seen.add(name);
  }
  return twice;
}
