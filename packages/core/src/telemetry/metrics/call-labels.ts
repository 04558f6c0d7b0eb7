// Derives Istio's 25 labels of a call (20 and more of them once per series, never per call). Names, order and derivation are those of Istio's
// `istio.stats` filter, so that Kiali and the Istio dashboards read them.
import { BLACK_HOLE_CLUSTER, PASSTHROUGH_CLUSTER } from '@heddle/xds';
import type { CallRecord } from '../call-record.js';
import { formatLabels } from './label-text.js';
import { UNKNOWN_WORKLOAD, type WorkloadLabels, endpointWorkloadLabels } from './workload-labels.js';

const UNKNOWN = 'unknown';
const SERVICELESS_CLUSTERS: ReadonlySet<string> = new Set([
  PASSTHROUGH_CLUSTER,
  BLACK_HOLE_CLUSTER,
  'InboundPassthroughCluster',
]);

/** What the labels of a call are made of, beside the call. */
export interface LabelSources {
  readonly own: WorkloadLabels;
  /** SPIFFE id of this workload; empty when it has none. */
  readonly ownPrincipal: string;
  /** The peer as its metadata header says; UNKNOWN_WORKLOAD when none came. */
  readonly peer: WorkloadLabels;
  /** The Host-header fallback of destination_service, capped by the caller. */
  readonly fallbackHost: string;
}

/** The label text of a call's series. TCP series have neither response_code nor grpc_response_status. */
export function callLabels(call: CallRecord, sources: LabelSources): string {
  const peer = peerLabels(call, sources);
  const secure = call.reporter === 'source' ? call.peerPrincipal !== '' : call.mutualTls;
  const ownPrincipal = (secure && sources.ownPrincipal) || UNKNOWN;
  const peerPrincipal = call.peerPrincipal || UNKNOWN;
  const isSource = call.reporter === 'source';
  const pairs: (readonly [string, string])[] = [['reporter', call.reporter]];
  pairs.push(...sideLabels('source', isSource ? sources.own : peer, isSource ? ownPrincipal : peerPrincipal));
  pairs.push(...sideLabels('destination', isSource ? peer : sources.own, isSource ? peerPrincipal : ownPrincipal));
  pairs.push(...serviceLabels(call, sources, peer));
  pairs.push(['request_protocol', call.protocol]);
  if (call.protocol !== 'tcp') {
    pairs.push(['response_code', String(call.status)]);
    pairs.push(['grpc_response_status', call.grpcStatus >= 0 ? String(call.grpcStatus) : '']);
  }
  pairs.push(['response_flags', call.flags === '' ? '-' : call.flags]);
  // Istio computes the policy at the server only; dashboards and Kiali rely on `unknown` at the client.
  pairs.push(['connection_security_policy', isSource ? UNKNOWN : call.mutualTls ? 'mutual_tls' : 'none']);
  return formatLabels(pairs);
}

/** The label text for calls beyond the cap: the same keys, own side kept, everything that a stranger can vary folded. */
export function overflowLabels(call: CallRecord, own: WorkloadLabels): string {
  const other: WorkloadLabels = {
    ...UNKNOWN_WORKLOAD,
    workload: 'overflow',
    app: 'overflow',
    canonicalService: 'overflow',
    cluster: own.cluster,
  };
  const isSource = call.reporter === 'source';
  const pairs: (readonly [string, string])[] = [['reporter', call.reporter]];
  pairs.push(...sideLabels('source', isSource ? own : other, UNKNOWN));
  pairs.push(...sideLabels('destination', isSource ? other : own, UNKNOWN));
  for (const name of ['destination_service', 'destination_service_name', 'destination_service_namespace'])
    pairs.push([name, 'overflow']);
  pairs.push(['request_protocol', call.protocol]);
  if (call.protocol !== 'tcp') {
    pairs.push(['response_code', call.status === 0 ? '0' : `${Math.floor(call.status / 100) % 10}xx`]);
    pairs.push(['grpc_response_status', '']);
  }
  pairs.push(
    ['response_flags', '-'],
    ['connection_security_policy', isSource ? UNKNOWN : call.mutualTls ? 'mutual_tls' : 'none'],
  );
  return formatLabels(pairs);
}

function sideLabels(side: 'source' | 'destination', labels: WorkloadLabels, principal: string): [string, string][] {
  return [
    [`${side}_workload`, labels.workload],
    [`${side}_workload_namespace`, labels.namespace],
    [`${side}_principal`, principal],
    [`${side}_app`, labels.app],
    [`${side}_version`, labels.version],
    [`${side}_canonical_service`, labels.canonicalService],
    [`${side}_canonical_revision`, labels.canonicalRevision],
    [`${side}_cluster`, labels.cluster],
  ];
}

/** The peer: its own word, else the endpoint's metadata; its namespace from the certificate where there is one. */
function peerLabels(call: CallRecord, sources: LabelSources): WorkloadLabels {
  const said =
    sources.peer === UNKNOWN_WORKLOAD && call.destinationWorkload !== ''
      ? endpointWorkloadLabels(call.destinationWorkload)
      : sources.peer;
  const namespace = namespaceOfPrincipal(call.peerPrincipal) ?? said.namespace;
  // Kiali drops a series whose namespace is known and whose cluster is not: a peer that names none is of this cluster.
  const cluster = said.cluster === UNKNOWN && namespace !== UNKNOWN ? sources.own.cluster : said.cluster;
  return { ...said, namespace, cluster };
}

function serviceLabels(call: CallRecord, sources: LabelSources, peer: WorkloadLabels): [string, string][] {
  const isSource = call.reporter === 'source';
  const host = isSource ? sources.fallbackHost : call.destinationHost || sources.own.canonicalService;
  const name = SERVICELESS_CLUSTERS.has(call.cluster)
    ? call.cluster
    : host === call.destinationHost
      ? call.destinationName || host
      : host;
  const namespace = call.destinationNamespace || (isSource ? peer.namespace : sources.own.namespace);
  return [
    ['destination_service', host || UNKNOWN],
    ['destination_service_name', name || UNKNOWN],
    ['destination_service_namespace', namespace],
  ];
}

/** `X` of `spiffe://domain/ns/X/sa/Y`; undefined for any other id. */
export function namespaceOfPrincipal(principal: string): string | undefined {
  return /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\//.exec(principal)?.[1];
}
