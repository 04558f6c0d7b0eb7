// A snapshot over a view of raw resources. Nothing is compiled until it is asked for; what is compiled is kept in the cells that snapshots share.
import { type RawResource, VIRTUAL_OUTBOUND_LISTENER } from '@heddle/xds';
import type { ResourceView } from '../feed/resource-view.js';
import type { NetworkFilterKind } from '../filters/network-filter.js';
import { type ClusterCore, compileCluster, joinCluster } from './cluster/cluster-compile.js';
import { type CompiledAssignment, compileAssignment } from './cluster/endpoint-compile.js';
import type { ClusterSnapshot } from './cluster-snapshot.js';
import { CompileReport } from './compile-report.js';
import { HeldStates } from './filter-states.js';
import { InboundJoin } from './listener/inbound-join.js';
import type { InboundSnapshot } from './inbound-snapshot.js';
import { ListenerIndex } from './listener/listener-index.js';
import type { FilterDeps } from './listener/http-filter-chain.js';
import { isInboundName } from './listener/listener-parse.js';
import { type CompiledOutbound, compileOutboundListener } from './listener/outbound-listener.js';
import { type CellMap, type ResourceCell, cellsOf } from './resource/resource-cells.js';
import { decodeAssignment, decodeCluster, decodeListener, resourceLabel } from './resource/resource-decode.js';
import { CompiledRouteTable } from './route/route-table.js';
import { wireSource } from './route/table-source.js';
import type { OutboundListener } from './route-snapshot.js';
import type { Snapshot, UnsupportedField } from './snapshot.js';
import { type Compiled, compiledResource, unsupportedFields } from './support/unsupported-fields.js';

export interface SnapshotDeps extends FilterDeps {
  readonly networkFilterKinds?: readonly NetworkFilterKind[] | undefined;
}

/** Outbound listeners, wrapped so that one that takes nothing is remembered too. */
interface ListenerEntry {
  readonly outbound: CompiledOutbound | undefined;
  readonly report: CompileReport;
  readonly states: HeldStates;
}

/** A RouteConfiguration, compiled with the filters of the listener that asks for it (undefined: none does). */
interface TableEntry {
  listener: ListenerEntry | undefined;
  table: CompiledRouteTable;
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
  readonly #known = { clusters: new Map<string, ClusterSnapshot>(), tables: new Map<string, CompiledRouteTable>() };

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

  routeTable(name: string): CompiledRouteTable | undefined {
    const known = this.#known.tables.get(name);
    if (known !== undefined) return known;
    const cell = this.#tables.get(name);
    if (cell === undefined) return undefined;
    const listener = this.#listenerOfTable(name);
    const entry = cell.get((raw, former) => ({ listener, table: this.#compileTable(raw, listener, former?.table) }));
    if (entry.listener !== listener) {
      // The filters of a listener that is gone are not asked for again.
      entry.table = this.#compileTable(cell.raw, listener, entry.table);
      entry.listener = listener;
    }
    const { table } = entry;
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
    return unsupportedFields(this.#compiled());
  }

  /**
   * Keys of all filter states that this configuration holds. What was compiled of an earlier version and held some is compiled first, so that a bucket
   * survives every change but its own.
   */
  filterStateKeys(): ReadonlySet<string> {
    const keys = new Set<string>(this.#inbound.stateKeys());
    for (const [name, cell] of this.#listeners) {
      const held = cell.latest === undefined || cell.latest.states.keys.size === 0 ? undefined : this.#listener(name);
      for (const key of held?.states.keys ?? []) keys.add(key);
    }
    for (const [name, cell] of this.#tables) {
      const held =
        cell.latest === undefined || isEmpty(cell.latest.table.stateKeys()) ? undefined : this.routeTable(name);
      for (const key of held?.stateKeys() ?? []) keys.add(key);
    }
    return keys;
  }

  *#compiled(): Generator<Compiled, void, void> {
    for (const { raw, peek } of this.#listeners.values()) {
      if (peek === undefined) continue;
      yield compiledResource(raw, peek.report);
      for (const part of peek.outbound?.inlineTable?.hostParts() ?? []) yield { ...part, message: undefined };
    }
    for (const { peek } of this.#tables.values()) if (peek !== undefined) yield* peek.table.parts();
    for (const { raw, peek } of this.#outboundClusters())
      if (peek !== undefined) yield compiledResource(raw, peek.core.report);
    for (const { raw, peek } of this.#assignments.values())
      if (peek !== undefined) yield compiledResource(raw, peek.report);
    for (const { raw, report } of this.#inbound.compiled()) yield compiledResource(raw, report);
  }

  /** Clusters that may be dialled: those of the inbound side stand for the application itself. */
  #outboundClusters(): readonly ResourceCell<ClusterEntry>[] {
    return [...this.#clusters.values()].filter(({ raw }) => !/^(inbound\||InboundPassthroughCluster)/.test(raw.name));
  }

  #compileAll(): void {
    for (const name of this.view.listeners.keys()) {
      if (isInboundName(name)) continue;
      this.#listener(name)?.outbound?.inlineTable?.compileAll();
    }
    for (const name of this.view.routes.keys()) this.routeTable(name)?.compileAll();
    for (const name of this.view.clusters.keys()) this.cluster(name);
    this.#inbound.compileNow();
  }

  #listener(name: string): ListenerEntry | undefined {
    if (isInboundName(name)) return undefined;
    return this.#listeners.get(name)?.get((raw, former) => {
      const report = new CompileReport(resourceLabel(raw));
      const states = new HeldStates(this.deps.filterState);
      const deps = { ...this.deps, filterState: states };
      const outbound = report.attempt('', () =>
        compileOutboundListener(decodeListener(raw), raw.version, deps, report),
      );
      if (former !== undefined && former.states.keys.size > 0) outbound?.inlineTable?.compileAll();
      return { outbound, report, states };
    });
  }

  #compileTable(
    raw: RawResource,
    listener: ListenerEntry | undefined,
    former: CompiledRouteTable | undefined,
  ): CompiledRouteTable {
    const chain = listener?.outbound?.chain;
    const filters = chain === undefined ? undefined : { chain, state: this.deps.filterState };
    const report = new CompileReport(resourceLabel(raw));
    return new CompiledRouteTable(wireSource(raw), raw.version, filters, report, former);
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

function isEmpty(values: Generator<unknown, void, void>): boolean {
  return values.next().done === true;
}
