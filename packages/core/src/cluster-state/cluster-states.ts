// The store of all mutable state: one ClusterState per cluster name, and the long-lived state of filters by key.
import type { Clock } from '../clock.js';
import type { Draws } from '../draws.js';
import type { FilterStateStore } from '../filters/http-filter.js';
import type { ClusterSnapshot } from '../snapshot/cluster-snapshot.js';
import { ClusterState } from './cluster-state.js';

export interface EndpointStateView {
  readonly activeRequests: number;
  readonly ejected: boolean;
  readonly ejectedForMs: number | undefined;
}

export class ClusterStates implements FilterStateStore {
  readonly #clock: Clock;
  readonly #draw: Draws;
  readonly #clusters = new Map<string, ClusterState>();
  readonly #filterStates = new Map<string, unknown>();

  constructor(clock: Clock, draw: Draws) {
    this.#clock = clock;
    this.#draw = draw;
  }

  /** The state of a cluster, brought up to the given version of it. */
  of(snapshot: ClusterSnapshot): ClusterState {
    const known = this.#clusters.get(snapshot.name);
    if (known === undefined) {
      const state = new ClusterState(snapshot, this.#clock, this.#draw);
      this.#clusters.set(snapshot.name, state);
      return state;
    }
    if (known.snapshot !== snapshot) known.update(snapshot);
    return known;
  }

  /** The state of a cluster that was used before. */
  byName(name: string): ClusterState | undefined {
    return this.#clusters.get(name);
  }

  all(): IterableIterator<ClusterState> {
    return this.#clusters.values();
  }

  /** What explain shows of an endpoint; undefined when no call has touched it yet. */
  endpointState(cluster: string, address: string): EndpointStateView | undefined {
    const state = this.#clusters.get(cluster);
    const endpoint = state?.endpoints.get(address);
    if (state === undefined || endpoint === undefined) return undefined;
    const untilMs = endpoint.ejected ? state.detector?.ejectedUntilMs(endpoint) : undefined;
    const ejectedForMs = untilMs === undefined ? undefined : Math.max(0, untilMs - this.#clock.nowMs());
    return { activeRequests: endpoint.activeRequests, ejected: endpoint.ejected, ejectedForMs };
  }

  /** Drops the clusters that a new configuration no longer has; their endpoints drain. */
  retain(isKept: (name: string) => boolean): void {
    for (const [name, state] of this.#clusters) {
      if (isKept(name)) continue;
      this.#clusters.delete(name);
      state.remove();
    }
  }

  stateFor<State>(key: string, create: () => State): State {
    // Keys name their filter, so one key always holds one type.
    if (!this.#filterStates.has(key)) this.#filterStates.set(key, create());
    return this.#filterStates.get(key) as State;
  }

  /** Drops the filter states that no filter of the configuration in force holds (token buckets of limits that are gone). */
  retainFilterStates(keys: ReadonlySet<string>): void {
    for (const key of this.#filterStates.keys()) if (!keys.has(key)) this.#filterStates.delete(key);
  }

  /** Drops all clusters: nothing remains that holds a socket or a timer. */
  close(): void {
    this.retain(() => false);
  }
}
