// Who wants what: the resource names of each type that the data plane asks for. Outlives streams, so that a new one asks for all of it.
import { RESOURCE_TYPE_URLS, type ResourceTypeUrl, type WantedNames } from '@heddle/xds';

/** Every resource of a type, or exactly these names. */
export type Want = '*' | ReadonlySet<string>;

const NOTHING: ReadonlySet<string> = new Set();

export class WantedResources {
  readonly #byType = new Map<ResourceTypeUrl, Want>();

  /** Replaces the wanted names of a type. False when they are the same as before. */
  replace(typeUrl: ResourceTypeUrl, names: WantedNames): boolean {
    const before = this.of(typeUrl);
    const after: Want = names === '*' ? '*' : new Set(names);
    if (sameWant(before, after)) return false;
    this.#byType.set(typeUrl, after);
    return true;
  }

  /** An empty set for a type that nobody asked for. */
  of(typeUrl: ResourceTypeUrl): Want {
    return this.#byType.get(typeUrl) ?? NOTHING;
  }

  has(typeUrl: ResourceTypeUrl, name: string): boolean {
    const want = this.of(typeUrl);
    return want === '*' || want.has(name);
  }

  /** Types with something wanted, in make-before-break order. */
  types(): readonly ResourceTypeUrl[] {
    return RESOURCE_TYPE_URLS.filter((typeUrl) => {
      const want = this.of(typeUrl);
      return want === '*' || want.size > 0;
    });
  }
}

function sameWant(a: Want, b: Want): boolean {
  if (a === '*' || b === '*') return a === b;
  if (a.size !== b.size) return false;
  for (const name of a) if (!b.has(name)) return false;
  return true;
}
