// The tags of Heddle's spans: those that Envoy and Istio set (Envoy: tracer_impl.cc; Istio: enableIstioTags), so that existing searches and
// dashboards find them.
import type { Attributes } from '@opentelemetry/api';
import type { CallRecord } from '../call-record.js';
import type { SpanOutcome } from '../call-telemetry.js';

/** Envoy: `max_path_tag_length`, default 256. */
const MAX_URL_LENGTH = 256;

/** Tags of this workload, the same on each of its spans. */
export interface SpanNode {
  readonly nodeId: string;
  readonly namespace: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  readonly clusterId: string;
  readonly meshId: string;
}

export function nodeTags(node: SpanNode): Attributes {
  return {
    component: 'proxy',
    node_id: node.nodeId,
    'istio.canonical_service': node.canonicalService,
    'istio.canonical_revision': node.canonicalRevision,
    'istio.namespace': node.namespace,
    'istio.cluster_id': node.clusterId,
    'istio.mesh_id': node.meshId,
  };
}

/** What is known of a call when its span starts. */
export function requestTags(call: CallRecord): Attributes {
  const tags: Attributes = {
    'http.method': call.method,
    'http.url': urlOf(call),
    'guid:x-request-id': call.requestId,
  };
  if (call.logFields?.httpVersion !== undefined) tags['http.protocol'] = call.logFields.httpVersion;
  if (call.logFields?.userAgent !== undefined) tags['user_agent'] = call.logFields.userAgent;
  if (call.protocol === 'grpc') {
    tags['grpc.path'] = call.path;
    tags['grpc.authority'] = call.authority;
  }
  return tags;
}

/** What is known when it ends. */
export function outcomeTags(call: CallRecord, outcome: SpanOutcome): Attributes {
  const tags: Attributes = {
    'http.status_code': outcome.status,
    response_flags: outcome.flags === '' ? '-' : outcome.flags,
    request_size: call.requestBytes,
    response_size: call.responseBytes,
    'guid:x-request-id': call.requestId,
  };
  if (call.cluster !== '') {
    tags['upstream_cluster'] = call.cluster;
    tags['upstream_cluster.name'] = call.cluster;
  }
  if (outcome.upstreamAddress !== '') {
    tags['upstream_address'] = outcome.upstreamAddress;
    tags['peer.address'] = outcome.upstreamAddress;
  }
  if (outcome.grpcStatus >= 0) tags['grpc.status_code'] = outcome.grpcStatus;
  if (isFailure(outcome)) tags['error'] = true;
  return tags;
}

/** Envoy marks a span as failed on a 5xx, a reset and a gRPC status that blames the server. */
export function isFailure(outcome: SpanOutcome): boolean {
  if (outcome.error !== undefined || outcome.status === 0 || outcome.status >= 500) return true;
  return SERVER_GRPC_FAILURES.has(outcome.grpcStatus);
}

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS (OpenTelemetry: gRPC semantic conventions, server status). */
const SERVER_GRPC_FAILURES: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

function urlOf(call: CallRecord): string {
  const path = call.path.length > MAX_URL_LENGTH ? call.path.slice(0, MAX_URL_LENGTH) : call.path;
  return 'http://' + call.authority + path;
}
