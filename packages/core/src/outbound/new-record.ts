// The record of a call for telemetry, in its one shape, before anything is known of its end.
import type { CallRecord } from '../telemetry/call-record.js';
import type { OutboundHead } from './exchange/outbound-head.js';
import type { PreparedCall } from './prepare-call.js';

export function newRecord(protocol: CallRecord['protocol'], head: OutboundHead, startMs: number): CallRecord {
  return {
    reporter: 'source',
    protocol,
    method: head.method,
    path: head.path,
    authority: head.authority,
    startMs,
    endMs: startMs,
    status: 0,
    grpcStatus: -1,
    flags: '',
    details: '',
    requestBytes: 0,
    responseBytes: 0,
    attempts: 0,
    cluster: '',
    upstreamAddress: '',
    routeName: '',
    destinationHost: '',
    destinationName: '',
    destinationNamespace: '',
    destinationWorkload: '',
    peerPrincipal: '',
    mutualTls: false,
    requestId: '',
    peerMetadata: '',
  };
}

/** Fills in what the route decided. */
export function recordRoute(record: CallRecord, call: PreparedCall): void {
  record.routeName = call.plan?.routeName ?? '';
  const service = call.kind === 'forward' ? call.cluster.snapshot.service : undefined;
  if (call.kind === 'forward') record.cluster = call.cluster.name;
  if (service === undefined) {
    record.destinationHost = record.authority;
    return;
  }
  record.destinationHost = service.host;
  record.destinationName = service.name;
  record.destinationNamespace = service.namespace;
}
