// Makes snapshots out of views. Building is cheap (one cell a changed resource); compiling happens on first use.
import type { ResourceView } from '../feed/resource-view.js';
import { CompiledSnapshot, type SnapshotDeps } from './compiled-snapshot.js';
import type { Snapshot } from './snapshot.js';

/** Everything that a snapshot is compiled with: filter kinds, their long-lived state, the clock. */
export type { SnapshotDeps } from './compiled-snapshot.js';

/** The snapshot before the first update: it knows nothing. */
export function emptySnapshot(): Snapshot {
  return {
    generation: 0,
    outboundListener: () => undefined,
    listenerByName: () => undefined,
    routeTable: () => undefined,
    cluster: () => undefined,
    clusterNames: () => [],
    inbound: undefined,
    unsupported: () => [],
  };
}

/** The snapshot of a view. What did not change since `previous` is shared with it, compiled or not. */
export function buildSnapshot(view: ResourceView, previous: Snapshot | undefined, deps: SnapshotDeps): Snapshot {
  return new CompiledSnapshot(view, previous instanceof CompiledSnapshot ? previous : undefined, deps);
}

/** Keys of the filter states that a configuration still holds; all others can be dropped (`ClusterStates.retainFilterStates`). */
export function heldFilterStates(snapshot: Snapshot): ReadonlySet<string> {
  return snapshot instanceof CompiledSnapshot ? snapshot.filterStateKeys() : new Set();
}
