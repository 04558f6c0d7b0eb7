// The incremental variant of ADS (xDS protocol, "Incremental xDS"): subscribes and unsubscribes by difference, takes changed and
// removed resources, refuses single ones.
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  type FeedSink,
  type MessageInitShape,
  type Node,
  type RejectedResource,
  type Resource,
  type ResourceTypeUrl,
  create,
} from '@heddle/xds';
import type { AcceptedVersions } from './accepted-versions.js';
import { type AdsStream, errorDetail, knownType, offer, shortTypeName } from './ads-stream.js';
import type { WantedResources, Want } from './wanted-resources.js';
import { WireResource } from './wire-resource.js';

export interface DeltaStreamParts {
  readonly node: Node;
  readonly wanted: WantedResources;
  readonly accepted: AcceptedVersions;
  readonly sink: FeedSink;
  readonly send: (request: DeltaDiscoveryRequest) => void;
}

/** What one response carries, read once. */
interface ReadResponse {
  readonly resources: readonly WireResource[];
  /** The server's own versions, by name. */
  readonly versions: ReadonlyMap<string, string>;
  readonly faults: readonly RejectedResource[];
}

export class DeltaStream implements AdsStream<DeltaDiscoveryResponse> {
  readonly #parts: DeltaStreamParts;
  /** What this stream has asked for; the server's memory of us. */
  readonly #asked = new Map<ResourceTypeUrl, Want>();
  #nodeSent = false;
  #stopped = false;

  constructor(parts: DeltaStreamParts) {
    this.#parts = parts;
  }

  start(): void {
    for (const typeUrl of this.#parts.wanted.types()) this.wantChanged(typeUrl);
  }

  wantChanged(typeUrl: ResourceTypeUrl): void {
    const want = this.#parts.wanted.of(typeUrl);
    this.#forgetUnwanted(typeUrl, want);
    const asked = this.#asked.get(typeUrl);
    if (asked === undefined) return this.#ask(typeUrl, want);
    this.#asked.set(typeUrl, want);
    const subscribe = difference(want, asked);
    const unsubscribe = difference(asked, want);
    if (subscribe.length === 0 && unsubscribe.length === 0) return;
    this.#send({ typeUrl, resourceNamesSubscribe: subscribe, resourceNamesUnsubscribe: unsubscribe });
  }

  receive(response: DeltaDiscoveryResponse): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    const typeUrl = knownType(response.typeUrl);
    if (typeUrl === undefined) {
      const message = `${response.typeUrl}: this type was not asked for`;
      this.#answer(response, [{ name: '', message }]);
      return undefined;
    }
    const read = this.#read(typeUrl, response);
    const removed = response.removedResources.filter((name) => this.#parts.accepted.has(typeUrl, name));
    const version = response.systemVersionInfo;
    const answer = offer(this.#parts.sink, { typeUrl, kind: 'delta', version, resources: read.resources, removed });
    if (answer instanceof Promise) return answer.then((rejected) => this.#settle(typeUrl, response, read, rejected));
    this.#settle(typeUrl, response, read, answer);
    return undefined;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The first request of a type. An empty list means every resource (xDS protocol: legacy wildcard, understood by all servers). */
  #ask(typeUrl: ResourceTypeUrl, want: Want): void {
    if (want !== '*' && want.size === 0) return;
    this.#asked.set(typeUrl, want);
    this.#send({
      typeUrl,
      resourceNamesSubscribe: want === '*' ? [] : [...want],
      initialResourceVersions: Object.fromEntries(this.#parts.accepted.of(typeUrl)),
    });
  }

  /** A name that is no longer wanted must come anew when it is wanted again. */
  #forgetUnwanted(typeUrl: ResourceTypeUrl, want: Want): void {
    if (want === '*') return;
    for (const name of this.#parts.accepted.of(typeUrl).keys()) {
      if (!want.has(name)) this.#parts.accepted.forget(typeUrl, name);
    }
  }

  #read(typeUrl: ResourceTypeUrl, response: DeltaDiscoveryResponse): ReadResponse {
    const resources: WireResource[] = [];
    const versions = new Map<string, string>();
    const faults: RejectedResource[] = [];
    for (const resource of response.resources) {
      if (!this.#parts.wanted.has(typeUrl, resource.name)) continue;
      const fault = envelopeFault(typeUrl, resource, versions);
      if (fault !== undefined) faults.push({ name: resource.name, message: fault });
      else resources.push(new WireResource(typeUrl, resource.name, (resource.resource as { value: Uint8Array }).value));
      versions.set(resource.name, resource.version);
    }
    return { resources, versions, faults };
  }

  #settle(
    typeUrl: ResourceTypeUrl,
    response: DeltaDiscoveryResponse,
    read: ReadResponse,
    refused: readonly RejectedResource[],
  ): void {
    const { accepted, wanted, sink } = this.#parts;
    const rejected = [...read.faults, ...refused];
    const bad = new Set(rejected.map(({ name }) => name));
    for (const { name } of read.resources) {
      if (!bad.has(name) && wanted.has(typeUrl, name)) accepted.record(typeUrl, name, read.versions.get(name) ?? '');
    }
    const missing = response.removedResources.filter(
      (name) => !accepted.has(typeUrl, name) && wanted.has(typeUrl, name),
    );
    for (const name of response.removedResources) accepted.forget(typeUrl, name);
    accepted.recordUpdate(typeUrl, response.systemVersionInfo);
    this.#answer(response, rejected);
    if (missing.length > 0) sink.onMissing(typeUrl, missing);
  }

  #answer(response: DeltaDiscoveryResponse, rejected: readonly RejectedResource[]): void {
    const detail = errorDetail(rejected);
    const answer = { typeUrl: response.typeUrl, responseNonce: response.nonce };
    this.#send(detail === undefined ? answer : { ...answer, errorDetail: detail });
  }

  #send(request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    if (this.#stopped) return;
    const node = this.#nodeSent ? undefined : this.#parts.node;
    this.#nodeSent = true;
    this.#parts.send(create(DeltaDiscoveryRequestSchema, node === undefined ? request : { ...request, node }));
  }
}

function envelopeFault(
  typeUrl: ResourceTypeUrl,
  resource: Resource,
  seen: ReadonlyMap<string, string>,
): string | undefined {
  const label = `${shortTypeName(typeUrl)} ${resource.name}`;
  if (resource.resource === undefined) return `${label}: the resource is empty`;
  if (resource.resource.typeUrl !== typeUrl)
    return `${label}: expected type ${typeUrl}, got ${resource.resource.typeUrl}`;
  return seen.has(resource.name) ? `${label}: comes twice in one update` : undefined;
}

/** Names of `a` that `b` lacks, in the words of a request. */
function difference(a: Want, b: Want): string[] {
  if (a === '*') return b === '*' ? [] : ['*'];
  if (b === '*') return [...a];
  return [...a].filter((name) => !b.has(name));
}
