// The record of one inbound request, from its first byte to its last.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { InboundConnection } from '../inbound-connection.js';

export function newCallRecord(request: IncomingMessage, connection: InboundConnection, startMs: number): CallRecord {
  return {
    reporter: 'destination',
    protocol: 'http',
    method: request.method ?? 'GET',
    path: request.url ?? '',
    authority: request.headers.host ?? '',
    startMs,
    endMs: startMs,
    status: 0,
    grpcStatus: -1,
    flags: '',
    details: 'via_upstream',
    requestBytes: 0,
    responseBytes: 0,
    attempts: 1,
    cluster: `inbound|${connection.facts.destinationPort}||`,
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

/** Adds what is known at the end: status, gRPC status, times, and the bytes that the socket moved since the last request on it. */
export function closeCallRecord(
  call: CallRecord,
  response: ServerResponse,
  connection: InboundConnection,
  bytesWrittenBefore: number,
  endMs: number,
): void {
  const { socket } = connection;
  call.endMs = endMs;
  // Socket counters include head and framing, as Envoy's wire bytes do; with pipelined requests a neighbour's bytes can be counted along.
  call.requestBytes = socket.bytesRead - connection.bytesReadMark;
  call.responseBytes = socket.bytesWritten - bytesWrittenBefore;
  connection.bytesReadMark = socket.bytesRead;
  // 101: the connection was handed to the application and has ended now.
  if (response.writableFinished || response.statusCode === 101) {
    call.status = response.statusCode;
    if (call.grpcStatus === -1) call.grpcStatus = grpcStatusOf(response);
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
