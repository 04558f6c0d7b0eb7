// The record of one inbound request, from its first byte to its last.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InboundRoute } from '../../snapshot/inbound-snapshot.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { InboundConnection } from '../inbound-connection.js';
import { isGrpc } from './local-reply.js';

export function newCallRecord(request: IncomingMessage, connection: InboundConnection, startMs: number): CallRecord {
  return {
    reporter: 'destination',
    protocol: isGrpc(request.headers['content-type']) ? 'grpc' : 'http',
    method: request.method ?? 'GET',
    path: request.url ?? '',
    authority: '',
    startMs,
    endMs: startMs,
    status: 0,
    grpcStatus: -1,
    flags: '',
    details: 'via_upstream',
    requestBytes: 0,
    responseBytes: 0,
    attempts: 1,
    cluster: connection.defaultCluster,
    upstreamAddress: '',
    routeName: '',
    destinationHost: '',
    destinationName: '',
    destinationNamespace: '',
    destinationWorkload: '',
    peerPrincipal: connection.peer?.spiffeId ?? '',
    mutualTls: connection.peer !== undefined,
    requestId: '',
    peerMetadata: '',
  };
}

/** The service that was asked for, as the cluster's metadata names it: both sides of a call have it from there and so agree (Kiali draws one edge). */
export function recordRoute(call: CallRecord, route: InboundRoute, connection: InboundConnection): void {
  call.routeName = route.routeName;
  if (route.cluster === undefined) return;
  call.cluster = route.cluster;
  const service = connection.serviceOf(route);
  if (service === undefined) return;
  call.destinationHost = service.host;
  call.destinationName = service.name;
  call.destinationNamespace = service.namespace;
}

/** Adds what is known at the end: status, gRPC status, times, and the bytes that the socket moved since the last request on it. */
export function closeCallRecord(
  call: CallRecord,
  response: ServerResponse,
  connection: InboundConnection,
  endMs: number,
): void {
  const { bytesRead, bytesWritten } = connection.socket;
  call.endMs = endMs;
  // Socket counters include head and framing, as Envoy's wire bytes do; with pipelined requests a neighbour's bytes can be counted along.
  call.requestBytes = bytesRead - connection.bytesReadMark;
  call.responseBytes = bytesWritten - connection.bytesWrittenMark;
  connection.bytesReadMark = bytesRead;
  connection.bytesWrittenMark = bytesWritten;
  // 101: the connection was handed to the application and has ended now.
  if (response.writableFinished || response.statusCode === 101) {
    call.status = response.statusCode;
    if (call.protocol === 'grpc' && call.grpcStatus === -1) call.grpcStatus = grpcStatusOf(response);
    return;
  }
  // The caller went away before the answer was complete (Envoy: DC, response code 0).
  call.status = 0;
  call.flags = addFlag(call.flags, 'DC');
  call.details = 'downstream_remote_disconnect';
}

export function addFlag(flags: string, flag: string): string {
  if (flag === '' || flag === '-') return flags;
  return flags === '' ? flag : `${flags},${flag}`;
}

function grpcStatusOf(response: ServerResponse): number {
  const value = response.getHeader('grpc-status');
  return value === undefined ? -1 : Number(value);
}
