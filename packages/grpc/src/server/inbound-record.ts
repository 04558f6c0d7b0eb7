// The record of one inbound gRPC call, before anything is known of its end.
import type { CallRecord, InboundConnection } from '@heddle/core/driver';

export function newInboundRecord(
  { facts, peer }: InboundConnection,
  path: string,
  authority: string,
  startMs: number,
): CallRecord {
  return {
    reporter: 'destination',
    protocol: 'grpc',
    method: 'POST',
    path,
    authority,
    startMs,
    endMs: startMs,
    status: 0,
    grpcStatus: -1,
    flags: '',
    details: 'via_upstream',
    requestBytes: 0,
    responseBytes: 0,
    attempts: 1,
    cluster: `inbound|${facts.destinationPort}||`,
    upstreamAddress: '',
    routeName: '',
    destinationHost: '',
    destinationName: '',
    destinationNamespace: '',
    destinationWorkload: '',
    peerPrincipal: peer?.spiffeId ?? '',
    mutualTls: peer !== undefined,
    requestId: '',
    peerMetadata: '',
  };
}
