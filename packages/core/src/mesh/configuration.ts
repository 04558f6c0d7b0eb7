// The configuration in force: subscriptions feed it views, each becomes the next snapshot, swapped in one assignment.
import type { ConfigOrigin, Feed, FeedNode, ResourceTypeUrl } from '@heddle/xds';
import type { Clock } from '../clock.js';
import { MeshError } from '../errors.js';
import { Subscriptions, type FeedEvent, type ResourceView, type SubscriptionStatus } from '../feed/index.js';
import { httpFilterKinds, networkFilterKinds } from '../filters/registry.js';
import type { FilterStateStore } from '../filters/http-filter.js';
import { buildSnapshot, emptySnapshot } from '../snapshot/build-snapshot.js';
import { createInspector } from '../snapshot/resource/resource-inspector.js';
import type { Snapshot } from '../snapshot/snapshot.js';

export interface ConfigurationOptions {
  /** Undefined: no feed; the empty snapshot stays in force. */
  readonly feed: Feed | undefined;
  readonly node: FeedNode;
  readonly clock: Clock;
  readonly filterState: FilterStateStore;
  /** After every swap. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onEvent: (event: FeedEvent) => void;
}

export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #subscriptions: Subscriptions | undefined;
  readonly #readyWaiters = new Set<() => void>();
  #snapshot: Snapshot = emptySnapshot();

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    const { feed, node, clock } = options;
    if (feed === undefined) return;
    this.#subscriptions = new Subscriptions({
      feed,
      node,
      clock,
      inspector: createInspector(httpFilterKinds, networkFilterKinds),
      onView: (view) => this.#adopt(view),
      onEvent: (event) => options.onEvent(event),
    });
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** True without a feed, and from the first complete configuration on. */
  get ready(): boolean {
    return this.#subscriptions === undefined || this.#snapshot.generation > 0;
  }

  /** Undefined without a feed. */
  status(): SubscriptionStatus | undefined {
    return this.#subscriptions?.status();
  }

  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined {
    return this.#subscriptions?.originOf(typeUrl, name, detail);
  }

  /** Resolves with the first complete configuration; rejects with MeshError FEED_UNAVAILABLE that says what is awaited, since when and from whom. */
  untilReady(timeoutMs: number): Promise<void> {
    if (this.ready) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        timer.cancel();
        this.#readyWaiters.delete(done);
        resolve();
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

  #adopt(view: ResourceView): void {
    this.#snapshot = buildSnapshot(view, this.#snapshot, {
      filterKinds: httpFilterKinds,
      networkFilterKinds,
      filterState: this.#options.filterState,
      clock: this.#options.clock,
    });
    this.#options.onSnapshot(this.#snapshot);
    for (const done of [...this.#readyWaiters]) done();
  }
}
