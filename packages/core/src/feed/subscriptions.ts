// Subscribes to everything that this workload needs and turns what the feed says into views: accepted, warmed, complete.
// One of the three places of core that hold mutable state.
import {
  CLUSTER_TYPE_URL,
  type ConfigOrigin,
  ENDPOINT_TYPE_URL,
  type Feed,
  type FeedConnection,
  type FeedNode,
  type FeedSink,
  type FeedState,
  type FeedUpdate,
  LISTENER_TYPE_URL,
  RESOURCE_TYPE_URLS,
  type RawResource,
  type RejectedResource,
  ROUTE_TYPE_URL,
  type ResourceTypeUrl,
  SECRET_TYPE_URL,
} from '@heddle/xds';
import type { Clock, Timer } from '../clock.js';
import { AwaitedNames } from './awaited-names.js';
import {
  type FeedEvent,
  type RejectedStatus,
  type SubscriptionStatus,
  describeAwaited,
  readyReason,
} from './feed-status.js';
import { LastGood } from './last-good.js';
import type { ResourceInspector, ResourceReference, ResourceView } from './resource-view.js';
import { type InspectedUpdate, inspectUpdate } from './update-intake.js';
import { type AwaitedResource, type ResourceGraph, resourcesOf, warm } from './warming.js';

export interface SubscriptionsOptions {
  readonly feed: Feed;
  readonly node: FeedNode;
  readonly inspector: ResourceInspector;
  readonly clock: Clock;
  /** A new view, from the first complete one on. Called outside of any feed callback, at most once in `viewIntervalMs`. */
  readonly onView: (view: ResourceView) => void;
  readonly onEvent?: ((event: FeedEvent) => void) | undefined;
  /** Longest wait for a resource that others need (Envoy: initial_fetch_timeout). Default 15 s. */
  readonly fetchTimeoutMs?: number | undefined;
  /** How long a removed cluster stays that a route still names. Default 15 s. */
  readonly removalGraceMs?: number | undefined;
  /** Updates closer together than this become one view. Default 10 ms; the first of a burst waits for the end of the tick only. */
  readonly viewIntervalMs?: number | undefined;
  /** Gives the event loop its turn between slices of a large update. Default setImmediate. */
  readonly yieldTurn?: (() => Promise<void>) | undefined;
}

const BY_NAME: readonly ResourceTypeUrl[] = [ENDPOINT_TYPE_URL, ROUTE_TYPE_URL, SECRET_TYPE_URL];
const AS_A_WHOLE: readonly ResourceTypeUrl[] = [CLUSTER_TYPE_URL, LISTENER_TYPE_URL];
const NONE: readonly ResourceReference[] = [];
const EMPTY: ResourceView = {
  generation: 0,
  listeners: new Map(),
  routes: new Map(),
  clusters: new Map(),
  endpoints: new Map(),
  secrets: new Map(),
};

export class Subscriptions implements FeedSink {
  readonly #options: SubscriptionsOptions;
  readonly #connection: FeedConnection;
  readonly #lastGood = new LastGood();
  readonly #references = new WeakMap<RawResource, readonly ResourceReference[]>();
  readonly #arrivals: AwaitedNames;
  readonly #removals: AwaitedNames;
  readonly #openedAtMs: number;
  #state: FeedState = { phase: 'connecting', attempt: 1 };
  #view: ResourceView = EMPTY;
  #viewAtMs: number | undefined;
  #computedAtMs = -Infinity;
  #updatedAtMs: number | undefined;
  #awaited: readonly AwaitedResource[] = [];
  #ready = false;
  #closed = false;
  /** Next computation of the view: soon after an update, or when a wait ends. */
  #viewTimer: Timer | undefined;
  #waitTimer: Timer | undefined;
  /** The large update that is being read; the next one waits for it. */
  #reading: Promise<unknown> | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.#openedAtMs = options.clock.nowMs();
    this.#arrivals = new AwaitedNames(options.clock, options.fetchTimeoutMs ?? 15_000);
    this.#removals = new AwaitedNames(options.clock, options.removalGraceMs ?? 15_000);
    this.#connection = options.feed.open(options.node, this);
    for (const typeUrl of AS_A_WHOLE) this.#connection.subscribe(typeUrl, '*');
  }

  /** True from the first complete view on. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The view in force; generation 0 and empty before the first complete one. */
  get view(): ResourceView {
    return this.#view;
  }

  /** Where a resource was written, when the feed knows. */
  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined {
    return this.#connection.originOf(typeUrl, name, detail);
  }

  /** Ends the feed's connection and every timer. The view stays readable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#viewTimer?.cancel();
    this.#waitTimer?.cancel();
    this.#connection.close();
  }

  onUpdate(update: FeedUpdate): readonly RejectedResource[] | Promise<readonly RejectedResource[]> {
    if (this.#closed) return [];
    if (this.#reading !== undefined) return this.#reading.then(() => this.onUpdate(update));
    const inspected = inspectUpdate(update, {
      inspector: this.#options.inspector,
      clock: this.#options.clock,
      yieldTurn: this.#options.yieldTurn ?? (() => new Promise((resolve) => setImmediate(resolve))),
      isKnown: ({ typeUrl, name, version }) => this.#lastGood.of(typeUrl).accepted.get(name)?.version === version,
    });
    if (!(inspected instanceof Promise)) return this.#take(inspected);
    const answer = inspected.then((done) => {
      this.#reading = undefined;
      return this.#take(done);
    });
    this.#reading = answer;
    return answer;
  }

  onMissing(typeUrl: ResourceTypeUrl, names: readonly string[]): void {
    if (this.#closed) return;
    for (const name of names) this.#lastGood.remove(typeUrl, name, true);
    this.#emit({ kind: 'missing', typeUrl, names });
    this.#viewSoon();
  }

  onState(state: FeedState): void {
    if (this.#closed) return;
    this.#state = state;
    this.#emit({ kind: 'state', state });
  }

  /** What the first complete view waits for, in words; undefined when ready. */
  readyReason(): string | undefined {
    if (this.#ready) return undefined;
    return readyReason({
      feedName: this.#options.feed.name,
      state: this.#state,
      sinceMs: this.#options.clock.nowMs() - this.#openedAtMs,
      unanswered: AS_A_WHOLE.filter((typeUrl) => this.#lastGood.of(typeUrl).version === undefined),
      awaited: this.#awaited,
      rejected: this.#rejected(),
    });
  }

  status(): SubscriptionStatus {
    const nowMs = this.#options.clock.nowMs();
    return {
      name: this.#options.feed.name,
      phase: this.#state.phase,
      reason: this.#state.phase === 'disconnected' ? this.#state.reason : undefined,
      generation: this.#view.generation,
      ready: this.#ready,
      ageMs: this.#viewAtMs === undefined ? undefined : nowMs - this.#viewAtMs,
      lastUpdateAgeMs: this.#updatedAtMs === undefined ? undefined : nowMs - this.#updatedAtMs,
      types: RESOURCE_TYPE_URLS.map((typeUrl) => {
        const { version, accepted, missing } = this.#lastGood.of(typeUrl);
        const count = resourcesOf(this.#view, typeUrl).size;
        return { typeUrl, version: version ?? '', count, acceptedCount: accepted.size, missing: [...missing] };
      }),
      rejected: this.#rejected(),
      awaited: this.#awaited.map(describeAwaited),
      waitingFor: this.readyReason(),
    };
  }

  #take({ update, changed, unchanged }: InspectedUpdate): readonly RejectedResource[] {
    if (this.#closed) return [];
    const { typeUrl } = update;
    this.#updatedAtMs = this.#options.clock.nowMs();
    const rejected: RejectedResource[] = [];
    for (const { resource, refusal, references } of changed) {
      if (refusal !== undefined) {
        rejected.push({ name: resource.name, message: refusal });
        this.#refuse(resource, refusal);
        continue;
      }
      this.#references.set(resource, references);
      this.#lastGood.accept(resource);
      this.#noteRecovery(typeUrl, resource.name);
    }
    for (const name of unchanged) this.#noteRecovery(typeUrl, name);
    for (const name of this.#gone(update)) this.#lastGood.remove(typeUrl, name, BY_NAME.includes(typeUrl));
    this.#lastGood.setVersion(typeUrl, update.version);
    if (changed.length > 0 || update.kind === 'full' || update.removed.length > 0) this.#subscribeReferenced();
    this.#viewSoon();
    return rejected;
  }

  /** Names that the update takes away: those it says, and for a full one all that it lacks. */
  #gone(update: FeedUpdate): readonly string[] {
    if (update.kind === 'delta') return update.removed;
    const present = new Set(update.resources.map(({ name }) => name));
    const { accepted, refused } = this.#lastGood.of(update.typeUrl);
    const asked = BY_NAME.includes(update.typeUrl) ? this.#wantedNames(update.typeUrl) : [];
    return [...new Set([...accepted.keys(), ...refused.keys(), ...asked])].filter((name) => !present.has(name));
  }

  #refuse({ typeUrl, name, version }: RawResource, message: string): void {
    if (this.#lastGood.of(typeUrl).refused.get(name)?.version === version) return;
    this.#lastGood.refuse(typeUrl, name, { version, message, sinceWallMs: this.#options.clock.wallMs() });
    this.#emit({ kind: 'rejected', typeUrl, name, version, message });
  }

  #noteRecovery(typeUrl: ResourceTypeUrl, name: string): void {
    if (this.#lastGood.recovered(typeUrl, name)) this.#emit({ kind: 'recovered', typeUrl, name });
  }

  /** Asks for the resources that accepted ones and those in force need; drops what nobody needs any more. */
  #subscribeReferenced(): void {
    for (const typeUrl of BY_NAME) {
      const names = this.#wantedNames(typeUrl);
      this.#lastGood.keepOnly(typeUrl, names);
      this.#connection.subscribe(typeUrl, [...names]);
    }
  }

  #wantedNames(wanted: ResourceTypeUrl): ReadonlySet<string> {
    const names = new Set<string>();
    const accepted = this.#accepted();
    for (const holders of [accepted.listeners, accepted.clusters, this.#view.listeners, this.#view.clusters]) {
      for (const holder of holders.values()) {
        for (const { typeUrl, name } of this.#referencesOf(holder)) if (typeUrl === wanted) names.add(name);
      }
    }
    return names;
  }

  #accepted(): ResourceGraph {
    const of = (typeUrl: ResourceTypeUrl) => this.#lastGood.of(typeUrl).accepted;
    return {
      listeners: of(LISTENER_TYPE_URL),
      routes: of(ROUTE_TYPE_URL),
      clusters: of(CLUSTER_TYPE_URL),
      endpoints: of(ENDPOINT_TYPE_URL),
      secrets: of(SECRET_TYPE_URL),
    };
  }

  #referencesOf(resource: RawResource): readonly ResourceReference[] {
    return this.#references.get(resource) ?? NONE;
  }

  #viewSoon(): void {
    if (this.#viewTimer !== undefined) return;
    const { clock, viewIntervalMs } = this.#options;
    const delayMs = Math.max(0, this.#computedAtMs + (viewIntervalMs ?? 10) - clock.nowMs());
    this.#viewTimer = clock.after(delayMs, () => this.#computeView());
  }

  #computeView(): void {
    this.#viewTimer?.cancel();
    this.#viewTimer = undefined;
    this.#waitTimer?.cancel();
    const { clock } = this.#options;
    this.#computedAtMs = clock.nowMs();
    const accepted = this.#accepted();
    this.#noteArrivals(accepted);
    const result = warm({
      accepted,
      inForce: this.#view,
      references: (resource) => this.#referencesOf(resource),
      settled: (reference) => this.#settled(reference),
      removalDue: (name) => this.#removals.over(this.#beginRemoval(name)),
    });
    this.#removals.keepOnly(new Set(result.retainedClusters));
    this.#awaited = result.awaited;
    if (this.#ready || this.#complete()) this.#putInForce(result.graph);
    const waits = [this.#arrivals.nextEndInMs(), this.#removals.nextEndInMs()].filter((ms) => ms !== undefined);
    if (waits.length > 0) this.#waitTimer = clock.after(Math.min(...waits), () => this.#viewSoon());
  }

  #beginRemoval(cluster: string): string {
    this.#removals.begin(cluster);
    return cluster;
  }

  /** Starts and ends waits: everything that an accepted resource names and that is not there, and the types asked for as a whole. */
  #noteArrivals(accepted: ResourceGraph): void {
    const open = new Set<string>();
    if (this.#updatedAtMs !== undefined) {
      for (const typeUrl of AS_A_WHOLE) if (this.#lastGood.of(typeUrl).version === undefined) open.add(typeUrl);
    }
    for (const holders of [accepted.listeners, accepted.clusters, accepted.routes]) {
      for (const holder of holders.values()) {
        for (const { typeUrl, name } of this.#referencesOf(holder)) {
          if (!resourcesOf(accepted, typeUrl).has(name)) open.add(`${typeUrl} ${name}`);
        }
      }
    }
    this.#arrivals.keepOnly(open);
    for (const key of open) this.#arrivals.begin(key);
  }

  #settled({ typeUrl, name }: ResourceReference): boolean {
    const { refused, missing } = this.#lastGood.of(typeUrl);
    return refused.has(name) || missing.has(name) || this.#arrivals.over(`${typeUrl} ${name}`);
  }

  #complete(): boolean {
    if (this.#updatedAtMs === undefined || this.#awaited.length > 0) return false;
    return AS_A_WHOLE.every(
      (typeUrl) => this.#lastGood.of(typeUrl).version !== undefined || this.#arrivals.over(typeUrl),
    );
  }

  #putInForce(graph: ResourceGraph): void {
    const { clock } = this.#options;
    const before = this.#view;
    const next: ResourceView = {
      generation: before.generation + 1,
      listeners: sameOrNext(before.listeners, graph.listeners),
      routes: sameOrNext(before.routes, graph.routes),
      clusters: sameOrNext(before.clusters, graph.clusters),
      endpoints: sameOrNext(before.endpoints, graph.endpoints),
      secrets: sameOrNext(before.secrets, graph.secrets),
    };
    const unchanged = RESOURCE_TYPE_URLS.every(
      (typeUrl) => resourcesOf(before, typeUrl) === resourcesOf(next, typeUrl),
    );
    if (unchanged && this.#ready) return;
    this.#view = next;
    this.#viewAtMs = clock.nowMs();
    const first = !this.#ready;
    this.#ready = true;
    this.#subscribeReferenced();
    try {
      this.#options.onView(next);
    } catch (error) {
      this.#emit({ kind: 'view-failed', error });
    }
    if (first) this.#emit({ kind: 'ready', afterMs: clock.nowMs() - this.#openedAtMs });
  }

  #rejected(): readonly RejectedStatus[] {
    return RESOURCE_TYPE_URLS.flatMap((typeUrl) =>
      [...this.#lastGood.of(typeUrl).refused].map(([name, { message, version, sinceWallMs }]) => {
        const lastGoodInForce = resourcesOf(this.#view, typeUrl).has(name);
        return { typeUrl, name, message, version, since: new Date(sinceWallMs).toISOString(), lastGoodInForce };
      }),
    );
  }

  #emit(event: FeedEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** The former map when it holds the same content, so that a reader sees by identity what did not change. */
function sameOrNext(before: ReadonlyMap<string, RawResource>, next: ReadonlyMap<string, RawResource>) {
  if (before.size !== next.size) return next;
  for (const [name, resource] of next) if (before.get(name)?.version !== resource.version) return next;
  return before;
}
