// Which long-lived filter states (token buckets, active faults) a compiled resource holds, so that those that nothing holds any more can be dropped.
import type { FilterStateStore } from '../filters/http-filter.js';

/** Passes on to the store and remembers every key that was asked for. */
export class HeldStates implements FilterStateStore {
  readonly keys = new Set<string>();

  constructor(private readonly store: FilterStateStore) {}

  stateFor<State>(key: string, create: () => State): State {
    this.keys.add(key);
    return this.store.stateFor(key, create);
  }
}
