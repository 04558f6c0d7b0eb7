// All resources of one workload class at one version of the configuration, encoded once for all its clients.
import type { RawResource } from '@heddle/xds';
import { type ResourceField, resourceField } from './response-encoding.js';

export type ResourcesByType = ReadonlyMap<string, ReadonlyMap<string, RawResource>>;

/** What differs in one type between two generations. */
export interface TypeDifference {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

const NO_RESOURCES: ReadonlyMap<string, RawResource> = new Map();
const NO_DIFFERENCE: TypeDifference = { changed: [], removed: [] };

export class Generation {
  /** Version of the configuration, `2026-11-23T19:56:27Z/3`. */
  readonly version: string;
  readonly #types: ResourcesByType;
  readonly #differences = new WeakMap<Generation, Map<string, TypeDifference>>();
  readonly #fields = new Map<string, Buffer>();
  readonly #responses = new Map<string, Buffer>();

  constructor(version: string, types: ResourcesByType) {
    this.version = version;
    this.#types = types;
  }

  resources(typeUrl: string): ReadonlyMap<string, RawResource> {
    return this.#types.get(typeUrl) ?? NO_RESOURCES;
  }

  /** Compared once for all clients that stand at `former`. */
  differenceFrom(former: Generation, typeUrl: string): TypeDifference {
    if (former === this) return NO_DIFFERENCE;
    let known = this.#differences.get(former);
    if (known === undefined) this.#differences.set(former, (known = new Map<string, TypeDifference>()));
    let difference = known.get(typeUrl);
    if (difference === undefined) {
      difference = compare(former.resources(typeUrl), this.resources(typeUrl));
      known.set(typeUrl, difference);
    }
    return difference;
  }

  /** A resource as a field of a response. */
  field(kind: ResourceField, resource: RawResource): Buffer {
    const key = `${kind} ${resource.typeUrl} ${resource.name}`;
    let field = this.#fields.get(key);
    if (field === undefined) this.#fields.set(key, (field = resourceField(kind, resource)));
    return field;
  }

  /** A whole response that many clients get alike. */
  sharedResponse(key: string, make: () => Buffer): Buffer {
    let response = this.#responses.get(key);
    if (response === undefined) this.#responses.set(key, (response = make()));
    return response;
  }
}

function compare(former: ReadonlyMap<string, RawResource>, next: ReadonlyMap<string, RawResource>): TypeDifference {
  const changed: string[] = [];
  for (const [name, { version }] of next) if (former.get(name)?.version !== version) changed.push(name);
  const removed = [...former.keys()].filter((name) => !next.has(name));
  return { changed, removed };
}
