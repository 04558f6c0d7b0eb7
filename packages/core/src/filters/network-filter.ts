// The contract of network (L4) filters of inbound chains: they look at a connection once, before its first byte reaches anyone.
import type { Any } from '@heddle/xds';
import type { FilterBuild } from './http-filter.js';

export interface ConnectionRequest {
  readonly peerPrincipal: string | undefined;
  readonly sourceIp: string;
  readonly sourcePort: number;
  readonly destinationIp: string;
  readonly destinationPort: number;
  readonly serverName: string;
}

export interface NetworkFilter {
  readonly name: string;
  readonly typeUrl: string;
  /** False closes the connection; `details` goes to log and metrics. */
  decide(connection: ConnectionRequest): { readonly allow: boolean; readonly details: string };
}

/** A kind of network filter: one file each, one row in filters/registry.ts. */
export interface NetworkFilterKind {
  readonly typeUrl: string;
  /** True: a configuration that can't be honoured refuses the resource (fail closed) instead of being reported. */
  readonly security: boolean;
  /** Compiles a filter. Throws MeshError CONFIG_INVALID naming the field. Undefined: nothing to do. */
  compile(config: Any | undefined, build: FilterBuild): NetworkFilter | undefined;
}
