// Several feeds in order of preference. The next one is used while the earlier ones have delivered nothing (gRFC A71: fallback happens
// only when nothing is cached), and left as soon as an earlier one delivers.
import {
  CLUSTER_TYPE_URL,
  type ConfigOrigin,
  type Feed,
  type FeedConnection,
  type FeedNode,
  type FeedSink,
  type FeedState,
  type FeedUpdate,
  LISTENER_TYPE_URL,
  type RejectedResource,
  RESOURCE_TYPE_URLS,
  type ResourceTypeUrl,
  type WantedNames,
} from '@heddle/xds';
import { type Clock, type Timer, systemClock } from '../clock.js';
import { MeshError } from '../errors.js';

export interface FallbackOptions {
  readonly clock?: Clock | undefined;
  /** How long a feed that neither delivers nor fails may take before the next one is tried. Default 5 s. */
  readonly startUpWindowMs?: number | undefined;
}

/** The feeds in the order of HEDDLE_FEED. One feed is returned as it is. Throws CONFIG_INVALID without any. */
export function fallbackFeed(feeds: readonly Feed[], options: FallbackOptions = {}): Feed {
  const [first] = feeds;
  if (first === undefined) throw new MeshError('CONFIG_INVALID', 'feed: at least one feed is needed');
  if (feeds.length === 1) return first;
  const name = feeds.map((feed) => feed.name).join(', else ');
  return { name, open: (node, sink) => new FallbackConnection(feeds, node, sink, options) };
}

class FallbackConnection implements FeedConnection {
  readonly #feeds: readonly Feed[];
  readonly #node: FeedNode;
  readonly #sink: FeedSink;
  readonly #clock: Clock;
  readonly #windowMs: number;
  /** Opened feeds by their place in the order; those behind the one in use are closed. */
  readonly #open = new Map<number, FeedConnection>();
  readonly #wanted = new Map<ResourceTypeUrl, WantedNames>();
  /** Names in force, whichever feed they came from. */
  readonly #delivered = new Map<ResourceTypeUrl, Set<string>>();
  /** Types asked for as a whole that the feed in use has not answered yet: its first answer replaces all of the former feed's. */
  readonly #toReplace = new Set<ResourceTypeUrl>();
  /** Place of the feed whose resources are in force. */
  #inUse: number | undefined;
  #lastOpened = -1;
  #window: Timer | undefined;
  #deciding: Promise<unknown> | undefined;

  constructor(feeds: readonly Feed[], node: FeedNode, sink: FeedSink, options: FallbackOptions) {
    this.#feeds = feeds;
    this.#node = node;
    this.#sink = sink;
    this.#clock = options.clock ?? systemClock;
    this.#windowMs = options.startUpWindowMs ?? 5000;
    this.#openNext();
  }

  subscribe(typeUrl: ResourceTypeUrl, names: WantedNames): void {
    this.#wanted.set(typeUrl, names);
    for (const connection of [...this.#open.values()]) connection.subscribe(typeUrl, names);
  }

  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined {
    return this.#open.get(this.#inUse ?? 0)?.originOf(typeUrl, name, detail);
  }

  close(): void {
    this.#window?.cancel();
    for (const connection of this.#open.values()) connection.close();
    this.#open.clear();
  }

  #openNext(): void {
    this.#window?.cancel();
    const place = this.#lastOpened + 1;
    const feed = this.#feeds[place];
    if (feed === undefined || this.#inUse !== undefined) return;
    this.#lastOpened = place;
    this.#window = this.#clock.after(this.#windowMs, () => this.#openNext());
    const connection = feed.open(this.#node, {
      onUpdate: (update) => this.#onUpdate(place, update),
      onMissing: (typeUrl, names) => this.#onMissing(place, typeUrl, names),
      onState: (state) => this.#onState(place, state),
    });
    this.#open.set(place, connection);
    for (const typeUrl of RESOURCE_TYPE_URLS) {
      const names = this.#wanted.get(typeUrl);
      if (names !== undefined) connection.subscribe(typeUrl, names);
    }
  }

  #onUpdate(place: number, update: FeedUpdate): readonly RejectedResource[] | Promise<readonly RejectedResource[]> {
    if (this.#inUse !== undefined && place > this.#inUse) return [];
    // While the sink still decides on the former feed's update, this one waits.
    if (this.#deciding !== undefined) return this.#deciding.then(() => this.#onUpdate(place, update));
    if (place !== this.#inUse) this.#use(place);
    const answer = this.#sink.onUpdate(this.#replacing(update));
    if (!(answer instanceof Promise)) return answer;
    const deciding: Promise<unknown> = answer.finally(() => {
      if (this.#deciding === deciding) this.#deciding = undefined;
    });
    this.#deciding = deciding;
    return answer;
  }

  /** From now on this feed's word counts; what the former one delivered stays until this one has spoken about its type. */
  #use(place: number): void {
    this.#inUse = place;
    this.#window?.cancel();
    this.#toReplace.clear();
    for (const typeUrl of [CLUSTER_TYPE_URL, LISTENER_TYPE_URL] as const) this.#toReplace.add(typeUrl);
    for (const [later, connection] of this.#open) {
      if (later <= place) continue;
      connection.close();
      this.#open.delete(later);
    }
  }

  #replacing(update: FeedUpdate): FeedUpdate {
    const { typeUrl } = update;
    const whole = this.#wanted.get(typeUrl) === '*' && this.#toReplace.delete(typeUrl);
    const next: FeedUpdate = whole ? { ...update, kind: 'full', removed: [] } : update;
    const delivered = next.kind === 'full' ? new Set<string>() : (this.#delivered.get(typeUrl) ?? new Set<string>());
    for (const name of next.removed) delivered.delete(name);
    for (const { name } of next.resources) delivered.add(name);
    this.#delivered.set(typeUrl, delivered);
    return next;
  }

  /** A name that the former feed delivered and this one lacks is removed; for the sink it did exist. */
  #onMissing(place: number, typeUrl: ResourceTypeUrl, names: readonly string[]): void {
    if (place !== this.#inUse) return;
    const delivered = this.#delivered.get(typeUrl);
    const removed = names.filter((name) => delivered?.has(name) === true);
    const missing = names.filter((name) => delivered?.has(name) !== true);
    if (removed.length > 0) void this.#onUpdate(place, { typeUrl, kind: 'delta', version: '', resources: [], removed });
    if (missing.length > 0) this.#sink.onMissing(typeUrl, missing);
  }

  #onState(place: number, state: FeedState): void {
    const feed = this.#feeds[place]?.name ?? '';
    const concerned = this.#inUse === undefined ? place === this.#lastOpened : place === this.#inUse;
    if (concerned) {
      this.#sink.onState(state.phase === 'disconnected' ? { ...state, reason: `${feed}: ${state.reason}` } : state);
    }
    if (state.phase === 'disconnected' && place === this.#lastOpened) this.#openNext();
  }
}
