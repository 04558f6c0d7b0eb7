// One open connection of a feed in this process: who wants what, what was delivered, and what has changed since.
import {
  type ConfigOrigin,
  type FeedConnection,
  type FeedSink,
  RESOURCE_TYPE_URLS,
  type RawResource,
  type RejectedResource,
  type ResourceTypeUrl,
  type WantedNames,
} from '@heddle/xds';
import type { ServedResource, ServedResources } from './raw-resources.js';

/** State of one type. Invariant: `delivered` holds exactly what the sink was given and not told to forget. */
interface Subscription {
  wanted: WantedNames;
  /** Versions by name. */
  delivered: Map<string, string>;
  /** Names that the sink was told do not exist. */
  missing: Set<string>;
  /** The first answer is the state of the world, later ones say what changed. */
  answered: boolean;
}

export class ConfigConnection implements FeedConnection {
  readonly #sink: FeedSink;
  readonly #onClose: () => void;
  readonly #onRejected: (rejected: readonly RejectedResource[]) => void;
  readonly #subscriptions = new Map<ResourceTypeUrl, Subscription>();
  readonly #pending = new Set<ResourceTypeUrl>();
  #resources: ServedResources | undefined;
  #generation = 0;
  #delivering = false;
  #closed = false;

  constructor(sink: FeedSink, onClose: () => void, onRejected: (rejected: readonly RejectedResource[]) => void) {
    this.#sink = sink;
    this.#onClose = onClose;
    this.#onRejected = onRejected;
  }

  /** Delivers what changed, clusters before the listeners and routes that use them. */
  replace(resources: ServedResources): void {
    this.#resources = resources;
    this.#generation += 1;
    for (const typeUrl of this.#subscriptions.keys()) this.#pending.add(typeUrl);
    this.#drain();
  }

  subscribe(typeUrl: ResourceTypeUrl, names: WantedNames): void {
    if (this.#closed) return;
    const known = this.#subscriptions.get(typeUrl);
    if (known !== undefined && sameNames(known.wanted, names)) return;
    if (known === undefined) {
      this.#subscriptions.set(typeUrl, { wanted: names, delivered: new Map(), missing: new Set(), answered: false });
    } else {
      known.wanted = names;
      forgetUnwanted(known);
    }
    this.#pending.add(typeUrl);
    this.#drain();
  }

  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined {
    const resource = this.#resources?.get(typeUrl)?.get(name);
    return detail === undefined ? resource?.origin : resource?.details.get(detail);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#subscriptions.clear();
    this.#pending.clear();
    this.#onClose();
  }

  /**
   * One update after the other: a sink that subscribes while it takes an update is served after it, and an update that is
   * taken in slices is waited for.
   */
  #drain(): void {
    if (this.#delivering) return;
    for (let next = this.#nextType(); next !== undefined; next = this.#nextType()) {
      this.#pending.delete(next);
      this.#delivering = true;
      const answer = this.#deliver(next);
      if (answer instanceof Promise) {
        void this.#continueAfter(answer);
        return;
      }
      this.#delivering = false;
      this.#reject(answer);
    }
  }

  async #continueAfter(answer: Promise<readonly RejectedResource[]>): Promise<void> {
    const rejected = await answer.catch((error: unknown) => [
      { name: '*', message: error instanceof Error ? error.message : String(error) },
    ]);
    this.#delivering = false;
    this.#reject(rejected);
    this.#drain();
  }

  #reject(rejected: readonly RejectedResource[]): void {
    if (rejected.length > 0 && !this.#closed) this.#onRejected(rejected);
  }

  #nextType(): ResourceTypeUrl | undefined {
    if (this.#resources === undefined) return undefined;
    return RESOURCE_TYPE_URLS.find((typeUrl) => this.#pending.has(typeUrl));
  }

  #deliver(typeUrl: ResourceTypeUrl): ReturnType<FeedSink['onUpdate']> {
    const subscription = this.#subscriptions.get(typeUrl);
    if (subscription === undefined) return [];
    const available = this.#resources?.get(typeUrl) ?? new Map<string, ServedResource>();
    const { delivered, answered } = subscription;
    const wanted = subscription.wanted === '*' ? [...available.keys()] : subscription.wanted;
    const changed: RawResource[] = [];
    for (const name of wanted) {
      const raw = available.get(name)?.raw;
      if (raw !== undefined && delivered.get(name) !== raw.version) changed.push(raw);
    }
    const removed = [...delivered.keys()].filter((name) => !available.has(name));
    for (const raw of changed) delivered.set(raw.name, raw.version);
    for (const name of removed) delivered.delete(name);
    const missing = newlyMissing(subscription, available);
    subscription.answered = true;
    const tellsNothing = answered && changed.length === 0 && removed.length === 0;
    const kind = answered ? 'delta' : 'full';
    const version = String(this.#generation);
    const answer = tellsNothing ? [] : this.#sink.onUpdate({ typeUrl, kind, version, resources: changed, removed });
    if (missing.length > 0) this.#sink.onMissing(typeUrl, missing);
    return answer;
  }
}

function newlyMissing(subscription: Subscription, available: ReadonlyMap<string, ServedResource>): readonly string[] {
  if (subscription.wanted === '*') return [];
  const absent = subscription.wanted.filter((name) => !available.has(name));
  const news = absent.filter((name) => !subscription.missing.has(name));
  subscription.missing = new Set(absent);
  return news;
}

function forgetUnwanted(subscription: Subscription): void {
  if (subscription.wanted === '*') return;
  const wanted = new Set(subscription.wanted);
  for (const name of subscription.delivered.keys()) if (!wanted.has(name)) subscription.delivered.delete(name);
}

function sameNames(a: WantedNames, b: WantedNames): boolean {
  if (a === '*' || b === '*') return a === b;
  return a.length === b.length && new Set([...a, ...b]).size === new Set(a).size;
}
