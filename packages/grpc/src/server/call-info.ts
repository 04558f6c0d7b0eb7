// The mesh's facts of an inbound call, carried by the metadata object that grpc-js hands to the handler.
import type { Metadata } from '@grpc/grpc-js';
import type { MeshRequestInfo } from '@heddle/core/driver';

/** Shared by all copies of the package in a process. */
const brand = Symbol.for('heddle.grpc.callInfo');

export function setCallInfo(metadata: Metadata, info: MeshRequestInfo): void {
  Object.defineProperty(metadata, brand, { value: info, configurable: true });
}

/** Peer identity, request id, deadline and abort signal of a call that the mesh let in; undefined for calls of other servers. */
export function meshCallInfo(call: { readonly metadata: Metadata }): MeshRequestInfo | undefined {
  return (call.metadata as { readonly [brand]?: MeshRequestInfo })[brand];
}
