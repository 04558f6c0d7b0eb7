// A resource as it came over the wire. Its version is made from its content, because servers' own versions are not enough to tell
// equal content: istiod leaves them empty in delta, state of the world has one for all resources, a restarted server counts anew.
import { hash } from 'node:crypto';
import type { RawResource, ResourceTypeUrl } from '@heddle/xds';

export class WireResource implements RawResource {
  readonly typeUrl: ResourceTypeUrl;
  readonly name: string;
  readonly bytes: Uint8Array;
  #version: string | undefined;

  constructor(typeUrl: ResourceTypeUrl, name: string, bytes: Uint8Array) {
    this.typeUrl = typeUrl;
    this.name = name;
    this.bytes = bytes;
  }

  /** Computed on first use, so that the reader of a large update can spread the work. */
  get version(): string {
    return (this.#version ??= hash('sha256', this.bytes, 'base64url').slice(0, 22));
  }
}
