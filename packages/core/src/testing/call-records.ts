// Call records, request heads and nodes for tests of telemetry and of whatever reports to it.
import type { RequestHead } from '../request-head.js';
import type { CallRecord } from '../telemetry/call-record.js';

/** A successful GET of productpage to details, seen from the given side; `changes` overrides fields. */
export function callRecord(changes: Partial<CallRecord> = {}): CallRecord {
  return {
    reporter: 'source',
    protocol: 'http',
    method: 'GET',
    path: '/details/0',
    authority: 'details:9080',
    startMs: 1000,
    endMs: 1012.7,
    status: 200,
    grpcStatus: -1,
    flags: '',
    details: 'via_upstream',
    requestBytes: 120,
    responseBytes: 900,
    attempts: 1,
    cluster: 'outbound|9080||details.default.svc.cluster.local',
    upstreamAddress: '127.0.0.2:9080',
    routeName: 'default',
    destinationHost: 'details.default.svc.cluster.local',
    destinationName: 'details',
    destinationNamespace: 'default',
    destinationWorkload: 'details-v1;default;details;v1;Kubernetes',
    peerPrincipal: 'spiffe://cluster.local/ns/default/sa/bookinfo-details',
    mutualTls: false,
    requestId: '6b0ea2d6-5f4c-4d35-9c1f-7a4bb4d7e5b0',
    peerMetadata: '',
    ...changes,
  };
}

/** A request head over name/value pairs; equal names (in any case) are joined by `,` as RFC 9110 §5.3 says. */
export function requestHead(headers: readonly (readonly [string, string])[], path = '/', method = 'GET'): RequestHead {
  const values = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = values.get(key);
    values.set(key, before === undefined ? value : `${before},${value}`);
  }
  const authority = values.get('host') ?? 'service:9080';
  const pseudo: Readonly<Record<string, string>> = {
    ':method': method,
    ':path': path,
    ':authority': authority,
    ':scheme': 'http',
  };
  return { method, path, authority, scheme: 'http', header: (name) => pseudo[name] ?? values.get(name) };
}
