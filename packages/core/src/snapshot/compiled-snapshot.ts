// A snapshot over a view of raw resources. Nothing is compiled until it is asked for; what is compiled is kept in the cells that snapshots share.
import { type RawResource, VIRTUAL_OUTBOUND_LISTENER } from '@heddle/xds';
import type { ResourceView } from '../feed/resource-view.js';
import type { NetworkFilterKind } from '../filters/network-filter.js';
import { type ClusterCore, compileCluster, joinCluster } from './cluster/cluster-compile.js';
import { type CompiledAssignment, compileAssignment } from './cluster/endpoint-compile.js';
import type { ClusterSnapshot } from './cluster-snapshot.js';
import { CompileReport } from './compile-report.js';
import { InboundJoin } from './listener/inbound-join.js';
import type { InboundSnapshot } from './inbound-snapshot.js';
import { ListenerIndex } from './listener/listener-index.js';
import type { FilterDeps } from './listener/http-filter-chain.js';
import { isInboundName } from './listener/listener-parse.js';
import { type CompiledOutbound, compileOutboundListener } from './listener/outbound-listener.js';
import { type CellMap, type ResourceCell, cellsOf } from './resource/resource-cells.js';
import {
  decodeAssignment,
  decodeCluster,
  decodeListener,
  decodeRoutes,
  resourceLabel,
} from './resource/resource-decode.js';
import { CompiledRouteTable } from './route/route-table.js';
import type { OutboundListener, RouteTable } from './route-snapshot.js';
import type { Snapshot, UnsupportedField } from './snapshot.js';
import { unsupportedFields } from './support/unsupported-fields.js';

export interface SnapshotDeps extends FilterDeps {
  readonly networkFilterKinds?: readonly NetworkFilterKind[] | undefined;
}

/** Outbound listeners, wrapped so that one that takes nothing is remembered too. */
interface ListenerEntry {
  readonly outbound: CompiledOutbound | undefined;
  readonly report: CompileReport;
}

/** Compiled forms of one RouteConfiguration: one a listener whose filters it runs with (undefined listener: none). */
interface TableEntry {
  readonly byListener: Map<ListenerEntry | undefined, CompiledRouteTable>;
  readonly report: CompileReport;
}

/** A cluster's core and its joined forms, by the assignment that it was joined with. */
interface ClusterEntry {
  readonly core: ClusterCore;
  readonly joined: WeakMap<CompiledAssignment, ClusterSnapshot>;
  bare: ClusterSnapshot | undefined;
}

export class CompiledSnapshot implements Snapshot {
  readonly #listeners: CellMap<ListenerEntry>;
  readonly #tables: CellMap<TableEntry>;
  readonly #clusters: CellMap<ClusterEntry>;
  readonly #assignments: CellMap<CompiledAssignment>;
  readonly #inbound: InboundJoin;
  readonly #index: ListenerIndex;
  /** What this snapshot answered already, so that a call costs one lookup. Bounded by the view. */
  readonly #known = { clusters: new Map<string, ClusterSnapshot>(), tables: new Map<string, RouteTable>() };

  constructor(
    readonly view: ResourceView,
    previous: CompiledSnapshot | undefined,
    private readonly deps: SnapshotDeps,
  ) {
    const last = previous?.view;
    this.#listeners = cellsOf(view.listeners, last && { resources: last.listeners, cells: previous.#listeners });
    this.#tables = cellsOf(view.routes, last && { resources: last.routes, cells: previous.#tables });
    this.#clusters = cellsOf(view.clusters, last && { resources: last.clusters, cells: previous.#clusters });
    this.#assignments = cellsOf(view.endpoints, last && { resources: last.endpoints, cells: previous.#assignments });
    this.#inbound = new InboundJoin(view, previous === undefined ? undefined : previous.#inbound, {
      ...deps,
      networkFilterKinds: deps.networkFilterKinds ?? [],
    });
    this.#index =
      last?.listeners === view.listeners && previous !== undefined
        ? previous.#index
        : new ListenerIndex([...view.listeners.keys()].filter((name) => !isInboundName(name)));
  }

  get generation(): number {
    return this.view.generation;
  }

  get inbound(): InboundSnapshot | undefined {
    return this.#inbound.snapshot;
  }

  outboundListener(host: string, port: number): OutboundListener | undefined {
    const name = this.#index.find(host, port);
    return (
      (name === undefined ? undefined : this.listenerByName(name)) ?? this.listenerByName(VIRTUAL_OUTBOUND_LISTENER)
    );
  }

  listenerByName(name: string): OutboundListener | undefined {
    return this.#listener(name)?.outbound?.listener;
  }

  routeTable(name: string): RouteTable | undefined {
    const known = this.#known.tables.get(name);
    if (known !== undefined) return known;
    const entry = this.#tables
      .get(name)
      ?.get((raw) => ({ byListener: new Map(), report: new CompileReport(resourceLabel(raw)) }));
    const raw = this.view.routes.get(name);
    if (entry === undefined || raw === undefined) return undefined;
    const listener = this.#listenerOfTable(name);
    let table = entry.byListener.get(listener);
    if (table === undefined) {
      // The filters of a listener that is gone are not asked for again.
      entry.byListener.clear();
      table = new CompiledRouteTable(decodeRoutes(raw), raw.version, listener?.outbound?.chain, entry.report);
      entry.byListener.set(listener, table);
    }
    this.#known.tables.set(name, table);
    return table;
  }

  cluster(name: string): ClusterSnapshot | undefined {
    const known = this.#known.clusters.get(name);
    if (known !== undefined) return known;
    const entry = this.#clusters.get(name)?.get(clusterEntry);
    if (entry === undefined) return undefined;
    const { edsName } = entry.core;
    const assignment = edsName === undefined ? undefined : this.#assignments.get(edsName)?.get(assignmentOf);
    const joined = join(entry, assignment);
    this.#known.clusters.set(name, joined);
    return joined;
  }

  clusterNames(): readonly string[] {
    return [...this.view.clusters.keys()];
  }

  unsupported(options: { readonly complete?: boolean } = {}): readonly UnsupportedField[] {
    if (options.complete === true) this.#compileAll();
    const reports = [
      ...compiledOf(this.#listeners, (entry) => entry.report),
      ...compiledOf(this.#tables, (entry) => entry.report),
      ...compiledOf(this.#outboundClusters(), (entry) => entry.core.report),
      ...compiledOf(this.#assignments, (entry) => entry.report),
      ...this.#inbound.compiled(),
    ];
    return unsupportedFields(reports);
  }

  /** Clusters that may be dialled: those of the inbound side stand for the application itself. */
  #outboundClusters(): CellMap<ClusterEntry> {
    return new Map([...this.#clusters].filter(([name]) => !/^(inbound\||InboundPassthroughCluster)/.test(name)));
  }

  #compileAll(): void {
    for (const name of this.view.listeners.keys()) {
      if (isInboundName(name)) continue;
      this.#listener(name)?.outbound?.inlineTable?.check(new CompileReport(''), this.deps);
    }
    for (const name of this.view.routes.keys()) (this.routeTable(name) as CompiledRouteTable | undefined)?.compileAll();
    for (const name of this.view.clusters.keys()) this.cluster(name);
    this.#inbound.compileNow();
  }

  #listener(name: string): ListenerEntry | undefined {
    if (isInboundName(name)) return undefined;
    return this.#listeners.get(name)?.get((raw) => {
      const report = new CompileReport(resourceLabel(raw));
      const outbound = report.attempt('', () =>
        compileOutboundListener(decodeListener(raw), raw.version, this.deps, report),
      );
      return { outbound, report };
    });
  }

  /**
   * The listener whose filters a table runs with: istiod names table `9080` for listener `0.0.0.0_9080`; else the one of the table's own name
   * (on-demand); else the first in order of names that asks for it.
   */
  #listenerOfTable(name: string): ListenerEntry | undefined {
    for (const candidate of [`0.0.0.0_${name}`, name]) {
      const entry = this.#listener(candidate);
      if (entry?.outbound?.routeName === name) return entry;
    }
    for (const candidate of [...this.view.listeners.keys()].sort()) {
      const entry = this.#listener(candidate);
      if (entry?.outbound?.routeName === name) return entry;
    }
    return undefined;
  }
}

function clusterEntry(raw: RawResource): ClusterEntry {
  const report = new CompileReport(resourceLabel(raw));
  return { core: compileCluster(decodeCluster(raw), raw.version, report), joined: new WeakMap(), bare: undefined };
}

function assignmentOf(raw: RawResource): CompiledAssignment {
  return compileAssignment(decodeAssignment(raw), raw.version, new CompileReport(resourceLabel(raw)));
}

function join(entry: ClusterEntry, assignment: CompiledAssignment | undefined): ClusterSnapshot {
  if (assignment === undefined) return (entry.bare ??= joinCluster(entry.core, undefined));
  let joined = entry.joined.get(assignment);
  if (joined === undefined) entry.joined.set(assignment, (joined = joinCluster(entry.core, assignment)));
  return joined;
}

function* compiledOf<Compiled extends object>(
  cells: CellMap<Compiled>,
  reportOf: (compiled: Compiled) => CompileReport,
): Iterable<{ readonly raw: RawResource; readonly report: CompileReport }> {
  for (const cell of cells.values() as Iterable<ResourceCell<Compiled>>)
    if (cell.peek !== undefined) yield { raw: cell.raw, report: reportOf(cell.peek) };
}
