// One client on one stream: reads its requests, answers subscriptions at once, and takes it to a newer generation when it is its turn.
// Invariant: for every type that it asked for, the client has been sent what `generation` holds for the names that it wants.
import {
  CLUSTER_TYPE_URL,
  type DeltaDiscoveryRequest,
  type DiscoveryRequest,
  type FeedNode,
  LISTENER_TYPE_URL,
  type Node,
  RESOURCE_TYPE_URLS,
} from '@heddle/xds';
import type { Generation } from './generation.js';
import { type ResourceField, encodeResponse } from './response-encoding.js';
import { SubscriptionState } from './subscription-state.js';

export type RequestOutcome = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface ClientSessionParts {
  readonly variant: ResourceField;
  readonly peer: string;
  readonly wallMs: () => number;
  readonly generationFor: (node: FeedNode) => Generation;
  /** Returns false when the client reads too slowly to take more. */
  readonly write: (response: Buffer) => boolean;
  /** Called when the client refuses something. */
  readonly onNack: (typeUrl: string, message: string) => void;
}

const OK: RequestOutcome = { ok: true };

export class ClientSession {
  readonly peer: string;
  readonly variant: ResourceField;
  readonly connectedAtWallMs: number;
  readonly #parts: ClientSessionParts;
  readonly #types = new Map<string, SubscriptionState>();
  #node: FeedNode | undefined;
  #generation: Generation | undefined;
  #writable = true;
  #nonces = 0;

  constructor(parts: ClientSessionParts) {
    this.#parts = parts;
    this.peer = parts.peer;
    this.variant = parts.variant;
    this.connectedAtWallMs = parts.wallMs();
  }

  get node(): FeedNode | undefined {
    return this.#node;
  }

  get generation(): Generation | undefined {
    return this.#generation;
  }

  get subscriptions(): readonly SubscriptionState[] {
    return [...this.#types.values()];
  }

  /** True when everything sent was answered and the client reads: the moment for the next push. */
  get settled(): boolean {
    return this.#writable && this.subscriptions.every((subscription) => subscription.allAnswered);
  }

  get writable(): boolean {
    return this.#writable;
  }

  drained(): void {
    this.#writable = true;
  }

  /** Takes a delta request: an answer, a change of subscriptions, or both. */
  onDeltaRequest(request: DeltaDiscoveryRequest): RequestOutcome {
    const refused = this.#begin(request);
    if (refused !== undefined) return refused;
    const known = this.#types.get(request.typeUrl);
    const subscription = known ?? this.#addType(request.typeUrl);
    this.#noteAnswer(subscription, request.responseNonce, request.errorDetail?.message);
    const asked = request.resourceNamesSubscribe;
    // An empty first request asks for every resource (xDS protocol, "How the client specifies what resources to return").
    if (asked.includes('*') || (known === undefined && asked.length === 0)) subscription.wildcard = true;
    for (const name of request.resourceNamesUnsubscribe) {
      if (name === '*') subscription.wildcard = false;
      else subscription.names.delete(name);
    }
    const names = asked.filter((name) => name !== '*');
    for (const name of names) subscription.names.add(name);
    if (known === undefined) this.#answerFirst(subscription, request.initialResourceVersions);
    else if (asked.includes('*')) this.#sendNames(subscription, [...this.#resources(subscription).keys()], []);
    else if (names.length > 0) this.#answerNames(subscription, names);
    return OK;
  }

  /** Takes a state-of-the-world request: the whole list of wanted names, and at the same time an answer when it carries a nonce. */
  onSotwRequest(request: DiscoveryRequest): RequestOutcome {
    const refused = this.#begin(request);
    if (refused !== undefined) return refused;
    const known = this.#types.get(request.typeUrl);
    // A request with an old nonce crossed a newer response; the answer to that one will say the same (xDS protocol, "ACK").
    if (known !== undefined && request.responseNonce !== '' && request.responseNonce !== known.lastNonce) return OK;
    const subscription = known ?? this.#addType(request.typeUrl);
    this.#noteAnswer(subscription, request.responseNonce, request.errorDetail?.message);
    const before = subscription.names;
    const named = request.resourceNames.filter((name) => name !== '*');
    subscription.names = new Set(named);
    const whole =
      request.resourceNames.includes('*') || (named.length === 0 && known?.wildcard !== false && before.size === 0);
    const widened = whole && !subscription.wildcard;
    subscription.wildcard = whole;
    const added = named.filter((name) => !before.has(name));
    if (known === undefined || widened || added.length > 0) this.#answerSotw(subscription, widened ? undefined : added);
    return OK;
  }

  /** Sends what differs between the client's generation and the newest one, in make-before-break order. True when it sent something. */
  push(): boolean {
    const former = this.#generation;
    if (former === undefined || this.#node === undefined) return false;
    const next = this.#parts.generationFor(this.#node);
    this.#generation = next;
    if (next === former) return false;
    let sent = false;
    for (const subscription of this.#inOrder()) {
      const { changed, removed } = next.differenceFrom(former, subscription.typeUrl);
      const wantedChanged = changed.filter((name) => subscription.wants(name));
      const wantedRemoved = removed.filter((name) => subscription.wants(name));
      if (wantedChanged.length === 0 && wantedRemoved.length === 0) continue;
      const shared = wantedChanged.length === changed.length && wantedRemoved.length === removed.length;
      this.#sendChange(subscription, wantedChanged, wantedRemoved, shared ? former.version : undefined);
      sent = true;
    }
    return sent;
  }

  #begin(request: { readonly node?: Node | undefined; readonly typeUrl: string }): RequestOutcome | undefined {
    if (this.#node === undefined) {
      if (request.node === undefined || request.node.id === '')
        return { ok: false, message: 'the first request must carry a node with an id' };
      this.#node = feedNode(request.node);
    }
    if (request.typeUrl === '') return { ok: false, message: 'the request names no type' };
    this.#generation ??= this.#parts.generationFor(this.#node);
    return undefined;
  }

  #addType(typeUrl: string): SubscriptionState {
    const subscription = new SubscriptionState(typeUrl);
    this.#types.set(typeUrl, subscription);
    return subscription;
  }

  #noteAnswer(subscription: SubscriptionState, nonce: string, refusal: string | undefined): void {
    if (nonce === '') return;
    if (!subscription.answered(nonce, refusal, this.#parts.wallMs()) || refusal === undefined) return;
    this.#parts.onNack(subscription.typeUrl, refusal);
  }

  #resources(subscription: SubscriptionState) {
    return (this.#generation as Generation).resources(subscription.typeUrl);
  }

  /** The first answer of a type: what the client has not kept from an earlier stream, and what it kept and is gone. */
  #answerFirst(subscription: SubscriptionState, kept: Readonly<Record<string, string>>): void {
    const resources = this.#resources(subscription);
    const wanted = [...new Set([...(subscription.wildcard ? resources.keys() : []), ...subscription.names])];
    const send = wanted.filter((name) => {
      const version = resources.get(name)?.version;
      return version !== undefined && kept[name] !== version;
    });
    const gone = new Set([...wanted, ...Object.keys(kept)].filter((name) => !resources.has(name)));
    const shared = send.length === resources.size && gone.size === 0 ? 'nothing' : undefined;
    this.#sendNames(subscription, send, [...gone], shared);
  }

  #answerNames(subscription: SubscriptionState, names: readonly string[]): void {
    const resources = this.#resources(subscription);
    const found = names.filter((name) => resources.has(name));
    const absent = names.filter((name) => !resources.has(name));
    this.#sendNames(
      subscription,
      found,
      absent,
      found.length === resources.size && absent.length === 0 ? 'nothing' : undefined,
    );
  }

  #answerSotw(subscription: SubscriptionState, added: readonly string[] | undefined): void {
    const resources = this.#resources(subscription);
    const all = added === undefined || alwaysComplete(subscription.typeUrl);
    const candidates = all ? [...resources.keys()].filter((name) => subscription.wants(name)) : added;
    const found = candidates.filter((name) => resources.has(name));
    // State of the world can't say "does not exist" for single names; an empty answer is only right for all of a type.
    if (found.length === 0 && !all) return;
    this.#sendNames(subscription, found, [], found.length === resources.size ? 'nothing' : undefined);
  }

  /** Of a changed type a delta client gets the changes; state of the world gets all where absence means removal, else the changes. */
  #sendChange(
    subscription: SubscriptionState,
    changed: readonly string[],
    removed: readonly string[],
    from: string | undefined,
  ): void {
    if (this.variant === 'delta') return this.#sendNames(subscription, changed, removed, from);
    if (alwaysComplete(subscription.typeUrl)) return this.#answerSotw(subscription, undefined);
    if (changed.length > 0) this.#sendNames(subscription, changed, [], from);
  }

  /** `from`: the response is alike for every client that comes from there; it is then encoded once. */
  #sendNames(
    subscription: SubscriptionState,
    names: readonly string[],
    removed: readonly string[],
    from?: string,
  ): void {
    const generation = this.#generation as Generation;
    const { typeUrl } = subscription;
    const alike = `${generation.version} from ${from ?? ''}`;
    const shared = from !== undefined && alike !== subscription.lastNonce;
    const nonce = shared ? alike : `n${(this.#nonces += 1)}`;
    const make = () => {
      const resources = generation.resources(typeUrl);
      const fields = names.flatMap((name) => {
        const resource = resources.get(name);
        return resource === undefined ? [] : [generation.field(this.variant, resource)];
      });
      return encodeResponse(this.variant, { version: generation.version, typeUrl, nonce, removed }, fields);
    };
    const key = `${this.variant} ${typeUrl} ${nonce}`;
    const response = shared ? generation.sharedResponse(key, make) : make();
    subscription.sent(nonce, generation.version);
    this.#writable = this.#parts.write(response) && this.#writable;
  }

  #inOrder(): readonly SubscriptionState[] {
    return RESOURCE_TYPE_URLS.flatMap((typeUrl) => this.#types.get(typeUrl) ?? []);
  }
}

/** Types whose state-of-the-world responses hold everything: what is absent is removed. */
function alwaysComplete(typeUrl: string): boolean {
  return typeUrl === CLUSTER_TYPE_URL || typeUrl === LISTENER_TYPE_URL;
}

function feedNode({ id, cluster, locality, metadata }: Node): FeedNode {
  const { region = '', zone = '', subZone = '' } = locality ?? {};
  return { id, cluster, locality: { region, zone, subZone }, metadata: metadata ?? {} };
}
