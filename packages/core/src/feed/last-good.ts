// What we have: for each type the resources that were accepted last, those that are refused at the moment, and those that do not exist.
import type { RawResource, ResourceTypeUrl } from '@heddle/xds';

/** A version of a resource that is not taken; an older one may be in force. */
export interface RefusedVersion {
  readonly version: string;
  readonly message: string;
  /** Wall-clock ms of the first time that this version came. */
  readonly sinceWallMs: number;
}

export interface TypeResources {
  readonly accepted: ReadonlyMap<string, RawResource>;
  readonly refused: ReadonlyMap<string, RefusedVersion>;
  readonly missing: ReadonlySet<string>;
  /** Version of the last update; undefined before the first. */
  readonly version: string | undefined;
}

interface MutableType {
  readonly accepted: Map<string, RawResource>;
  readonly refused: Map<string, RefusedVersion>;
  readonly missing: Set<string>;
  version: string | undefined;
}

export class LastGood {
  readonly #types = new Map<ResourceTypeUrl, MutableType>();

  of(typeUrl: ResourceTypeUrl): TypeResources {
    return this.#type(typeUrl);
  }

  accept(resource: RawResource): void {
    const type = this.#type(resource.typeUrl);
    type.accepted.set(resource.name, resource);
    type.missing.delete(resource.name);
  }

  /** The resource came and is good, changed or not: an earlier refusal no longer counts. True when there was one. */
  recovered(typeUrl: ResourceTypeUrl, name: string): boolean {
    return this.#type(typeUrl).refused.delete(name);
  }

  refuse(typeUrl: ResourceTypeUrl, name: string, refusal: RefusedVersion): void {
    this.#type(typeUrl).refused.set(name, refusal);
  }

  /** The feed no longer has the resource. `missing`: and a reader of the name should know. */
  remove(typeUrl: ResourceTypeUrl, name: string, missing: boolean): void {
    const type = this.#type(typeUrl);
    type.accepted.delete(name);
    type.refused.delete(name);
    if (missing) type.missing.add(name);
    else type.missing.delete(name);
  }

  setVersion(typeUrl: ResourceTypeUrl, version: string): void {
    this.#type(typeUrl).version = version;
  }

  /** Drops what is not wanted any more; it would not be kept up to date. */
  keepOnly(typeUrl: ResourceTypeUrl, names: ReadonlySet<string>): void {
    const type = this.#type(typeUrl);
    for (const known of [type.accepted, type.refused, type.missing]) {
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    }
  }

  #type(typeUrl: ResourceTypeUrl): MutableType {
    let type = this.#types.get(typeUrl);
    if (type === undefined) {
      type = { accepted: new Map(), refused: new Map(), missing: new Set(), version: undefined };
      this.#types.set(typeUrl, type);
    }
    return type;
  }
}
