// The configuration in force: subscriptions feed it views, each becomes the next snapshot, swapped in one assignment.
import type { ConfigOrigin, Feed, FeedNode, ResourceTypeUrl } from '@heddle/xds';
import type { Clock } from '../clock.js';
import { MeshError } from '../errors.js';
import type { FeedEvent, SubscriptionStatus } from '../feed/feed-status.js';
import type { ResourceView } from '../feed/resource-view.js';
import { Subscriptions } from '../feed/subscriptions.js';
import { httpFilterKinds, networkFilterKinds } from '../filters/registry.js';
import type { FilterStateStore } from '../filters/http-filter.js';
import { buildSnapshot, emptySnapshot, heldFilterStates } from '../snapshot/build-snapshot.js';
import { createInspector } from '../snapshot/resource/resource-inspector.js';
import type { Snapshot } from '../snapshot/snapshot.js';

export interface ConfigurationOptions {
  /** Undefined: no feed; the empty snapshot stays in force. */
  readonly feed: Feed | undefined;
  readonly node: FeedNode;
  readonly clock: Clock;
  readonly filterState: FilterStateStore & {
    /** Drops every state but these. */
    retainFilterStates(keys: ReadonlySet<string>): void;
  };
  /** After every swap. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onEvent: (event: FeedEvent) => void;
}

export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #subscriptions: Subscriptions | undefined;
  readonly #readyWaiters = new Set<(fault?: MeshError) => void>();
  /** What is wrong with the configuration that the feed has, while it never had a good one. */
  #fault: MeshError | undefined;
  #snapshot: Snapshot;

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    const { feed, node, clock } = options;
    // Without a feed there is nothing to wait for: an empty configuration is in force, and calls pass straight through.
    this.#snapshot = feed === undefined ? { ...emptySnapshot(), generation: 1 } : emptySnapshot();
    if (feed === undefined) return;
    this.#subscriptions = new Subscriptions({
      feed,
      node,
      clock,
      inspector: createInspector(httpFilterKinds, networkFilterKinds),
      onView: (view) => this.#adopt(view),
      onEvent: (event) => this.#notice(event),
    });
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** True without a feed, and from the first complete configuration on. */
  get ready(): boolean {
    return this.#snapshot.generation > 0;
  }

  /** Undefined without a feed. */
  status(): SubscriptionStatus | undefined {
    return this.#subscriptions?.status();
  }

  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined {
    return this.#subscriptions?.originOf(typeUrl, name, detail);
  }

  /** Resolves with the first complete configuration; rejects with MeshError FEED_UNAVAILABLE that says what is awaited, since when and from whom, or at once with CONFIG_INVALID. */
  untilReady(timeoutMs: number): Promise<void> {
    if (this.ready) return Promise.resolve();
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      const done = (fault?: MeshError): void => {
        timer.cancel();
        this.#readyWaiters.delete(done);
        if (fault === undefined) resolve();
        else reject(fault);
      };
      const timer = this.#options.clock.after(timeoutMs, () => {
        this.#readyWaiters.delete(done);
        reject(new MeshError('FEED_UNAVAILABLE', this.status()?.waitingFor ?? 'no configuration'));
      });
      this.#readyWaiters.add(done);
    });
  }

  close(): void {
    this.#subscriptions?.close();
  }

  #notice(event: FeedEvent): void {
    this.#options.onEvent(event);
    if (event.kind !== 'state' || event.state.phase !== 'disconnected' || event.state.fault === undefined || this.ready)
      return;
    this.#fault = new MeshError('CONFIG_INVALID', `${this.#options.feed?.name ?? 'feed'}: ${event.state.reason}`);
    for (const done of [...this.#readyWaiters]) done(this.#fault);
  }

  #adopt(view: ResourceView): void {
    this.#snapshot = buildSnapshot(view, this.#snapshot, {
      filterKinds: httpFilterKinds,
      networkFilterKinds,
      filterState: this.#options.filterState,
      clock: this.#options.clock,
    });
    this.#fault = undefined;
    this.#options.onSnapshot(this.#snapshot);
    this.#options.filterState.retainFilterStates(heldFilterStates(this.#snapshot));
    for (const done of [...this.#readyWaiters]) done();
  }
}
