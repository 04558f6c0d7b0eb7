// What we have, in the server's words: versions of accepted resources (delta) and of accepted updates (state of the world).
// Outlives streams: a new one names these so that the server sends only what changed.
import type { ResourceTypeUrl } from '@heddle/xds';

export class AcceptedVersions {
  readonly #resources = new Map<ResourceTypeUrl, Map<string, string>>();
  readonly #updates = new Map<ResourceTypeUrl, string>();

  /** Notes that a resource is in force. Servers may leave its version empty (istiod does). */
  record(typeUrl: ResourceTypeUrl, name: string, version: string): void {
    const versions = this.#resources.get(typeUrl) ?? new Map<string, string>();
    versions.set(name, version);
    this.#resources.set(typeUrl, versions);
  }

  forget(typeUrl: ResourceTypeUrl, name: string): void {
    this.#resources.get(typeUrl)?.delete(name);
  }

  has(typeUrl: ResourceTypeUrl, name: string): boolean {
    return this.#resources.get(typeUrl)?.has(name) ?? false;
  }

  /** Names and versions of one type. */
  of(typeUrl: ResourceTypeUrl): ReadonlyMap<string, string> {
    return this.#resources.get(typeUrl) ?? new Map<string, string>();
  }

  /** Version of the last update of the type that was accepted as a whole; empty before the first. */
  update(typeUrl: ResourceTypeUrl): string {
    return this.#updates.get(typeUrl) ?? '';
  }

  recordUpdate(typeUrl: ResourceTypeUrl, version: string): void {
    this.#updates.set(typeUrl, version);
  }

  /** True before anything was ever accepted. */
  get empty(): boolean {
    for (const versions of this.#resources.values()) if (versions.size > 0) return false;
    return this.#updates.size === 0;
  }
}
