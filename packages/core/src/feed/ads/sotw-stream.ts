// The state-of-the-world variant of ADS (xDS protocol, "Basic Protocol Overview"): every request names all that is wanted, and is
// at the same time the acknowledgement of the response whose nonce it carries.
import {
  type Any,
  CLUSTER_TYPE_URL,
  DiscoveryRequestSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
  type FeedSink,
  LISTENER_TYPE_URL,
  type Node,
  type RejectedResource,
  ResourceSchema,
  type ResourceTypeUrl,
  create,
  unpackAny,
} from '@heddle/xds';
import type { Clock } from '../../clock.js';
import type { AcceptedVersions } from './accepted-versions.js';
import { type AdsStream, errorDetail, knownType, offer, shortTypeName } from './ads-stream.js';
import { MissingTimers } from './missing-timers.js';
import { resourceNameField } from './resource-name-field.js';
import type { WantedResources } from './wanted-resources.js';
import { WireResource } from './wire-resource.js';

export interface SotwStreamParts {
  readonly node: Node;
  readonly wanted: WantedResources;
  readonly accepted: AcceptedVersions;
  readonly sink: FeedSink;
  readonly clock: Clock;
  /** After this time without delivery a name is missing. */
  readonly missingAfterMs: number;
  readonly send: (request: DiscoveryRequest) => void;
}

interface TypeState {
  /** Nonce of the last response that was answered on this stream; empty before the first. */
  nonce: string;
  /** True while the sink decides on a response: changed names then go out with the answer, since any request would count as an ACK. */
  deciding: boolean;
}

interface ReadResponse {
  readonly resources: readonly WireResource[];
  readonly faults: readonly RejectedResource[];
}

export class SotwStream implements AdsStream<DiscoveryResponse> {
  readonly #parts: SotwStreamParts;
  readonly #types = new Map<ResourceTypeUrl, TypeState>();
  readonly #missing: MissingTimers;
  #nodeSent = false;
  #stopped = false;

  constructor(parts: SotwStreamParts) {
    this.#parts = parts;
    const { clock, missingAfterMs, sink } = parts;
    this.#missing = new MissingTimers(clock, missingAfterMs, (typeUrl, names) => sink.onMissing(typeUrl, names));
  }

  start(): void {
    for (const typeUrl of this.#parts.wanted.types()) this.wantChanged(typeUrl);
  }

  wantChanged(typeUrl: ResourceTypeUrl): void {
    const { wanted, accepted } = this.#parts;
    const want = wanted.of(typeUrl);
    if (want !== '*') {
      for (const name of accepted.of(typeUrl).keys()) if (!want.has(name)) accepted.forget(typeUrl, name);
    }
    const state = this.#types.get(typeUrl);
    // An empty first request would ask for every resource of the type.
    if (state === undefined && want !== '*' && want.size === 0) return;
    if (state === undefined) this.#types.set(typeUrl, { nonce: '', deciding: false });
    this.#awaitNames(typeUrl);
    if (state?.deciding !== true) this.#request(typeUrl, state === undefined, []);
  }

  receive(response: DiscoveryResponse): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    const typeUrl = knownType(response.typeUrl);
    const state = typeUrl === undefined ? undefined : this.#types.get(typeUrl);
    // A response to nobody's request has no names to answer with; it is left alone, as Envoy does.
    if (typeUrl === undefined || state === undefined) return undefined;
    state.deciding = true;
    const read = this.#read(typeUrl, response);
    const named = read.faults.every(({ name }) => name !== '');
    const kind = alwaysComplete(typeUrl) && named ? 'full' : 'delta';
    const version = response.versionInfo;
    const answer = offer(this.#parts.sink, { typeUrl, kind, version, resources: read.resources, removed: [] });
    if (answer instanceof Promise)
      return answer.then((refused) => this.#settle(typeUrl, state, response, read, refused));
    this.#settle(typeUrl, state, response, read, answer);
    return undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#missing.stop();
  }

  #read(typeUrl: ResourceTypeUrl, response: DiscoveryResponse): ReadResponse {
    const resources: WireResource[] = [];
    const faults: RejectedResource[] = [];
    const seen = new Set<string>();
    response.resources.forEach((any, index) => {
      const read = readResource(typeUrl, any, index);
      if ('message' in read) return faults.push(read);
      if (!this.#parts.wanted.has(typeUrl, read.name)) return;
      if (seen.has(read.name)) {
        return faults.push({
          name: read.name,
          message: `${shortTypeName(typeUrl)} ${read.name}: comes twice in one update`,
        });
      }
      seen.add(read.name);
      return resources.push(read);
    });
    return { resources, faults };
  }

  #settle(
    typeUrl: ResourceTypeUrl,
    state: TypeState,
    response: DiscoveryResponse,
    read: ReadResponse,
    refused: readonly RejectedResource[],
  ): void {
    const { accepted, wanted } = this.#parts;
    const rejected = [...read.faults, ...refused];
    const bad = new Set(rejected.map(({ name }) => name));
    if (alwaysComplete(typeUrl)) for (const name of accepted.of(typeUrl).keys()) accepted.forget(typeUrl, name);
    for (const { name } of read.resources) {
      this.#missing.arrived(typeUrl, name);
      if (!bad.has(name) && wanted.has(typeUrl, name)) accepted.record(typeUrl, name, response.versionInfo);
    }
    // A NACK carries the version of the last response that was good as a whole.
    if (rejected.length === 0) accepted.recordUpdate(typeUrl, response.versionInfo);
    state.nonce = response.nonce;
    state.deciding = false;
    this.#request(typeUrl, false, rejected);
  }

  #awaitNames(typeUrl: ResourceTypeUrl): void {
    const want = this.#parts.wanted.of(typeUrl);
    if (want === '*') return this.#missing.await(typeUrl, []);
    this.#missing.await(
      typeUrl,
      [...want].filter((name) => !this.#parts.accepted.has(typeUrl, name)),
    );
  }

  #request(typeUrl: ResourceTypeUrl, first: boolean, rejected: readonly RejectedResource[]): void {
    if (this.#stopped) return;
    const want = this.#parts.wanted.of(typeUrl);
    const detail = errorDetail(rejected);
    const request = create(DiscoveryRequestSchema, {
      typeUrl,
      versionInfo: this.#parts.accepted.update(typeUrl),
      resourceNames: namesOf(want, first, alwaysComplete(typeUrl)),
      responseNonce: this.#types.get(typeUrl)?.nonce ?? '',
      ...(detail === undefined ? {} : { errorDetail: detail }),
    });
    if (!this.#nodeSent) request.node = this.#parts.node;
    this.#nodeSent = true;
    this.#parts.send(request);
  }
}

/** Types whose responses hold everything, so that what is absent is gone (xDS protocol, "Deleting Resources"). */
function alwaysComplete(typeUrl: ResourceTypeUrl): boolean {
  return typeUrl === CLUSTER_TYPE_URL || typeUrl === LISTENER_TYPE_URL;
}

/** Every resource is an empty list for the types that have that old form, else the name `*`. */
function namesOf(want: '*' | ReadonlySet<string>, first: boolean, complete: boolean): string[] {
  if (want !== '*') return [...want];
  return complete || first ? [] : ['*'];
}

function readResource(typeUrl: ResourceTypeUrl, any: Any, index: number): WireResource | RejectedResource {
  const label = `${shortTypeName(typeUrl)} #${index}`;
  const wrapped = unwrap(any);
  if (wrapped === undefined) return { name: '', message: `${label}: the resource wrapper is empty or malformed` };
  if (wrapped.typeUrl !== typeUrl)
    return { name: '', message: `${label}: expected type ${typeUrl}, got ${wrapped.typeUrl}` };
  const name = resourceNameField(wrapped.value);
  if (name === undefined) return { name: '', message: `${label}: has no readable name` };
  return new WireResource(typeUrl, name, wrapped.value);
}

/** Some servers wrap resources (client feature `xds.config.resource-in-sotw`). */
function unwrap(any: Any): Any | undefined {
  if (!any.typeUrl.endsWith('/envoy.service.discovery.v3.Resource')) return any;
  try {
    return unpackAny(ResourceSchema, any)?.resource;
  } catch {
    return undefined;
  }
}
