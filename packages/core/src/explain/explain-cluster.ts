// Clusters and endpoints of an explanation: shares, health, ejection, load and security, as they are at this moment.
import { CLUSTER_TYPE_URL, ENDPOINT_TYPE_URL } from '@heddle/xds';
import { ERROR_KINDS } from '../errors.js';
import type { ExplainStep } from '../explain-types.js';
import type { ClusterSnapshot, EndpointSnapshot, UpstreamTls } from '../snapshot/cluster-snapshot.js';
import type { ForwardAction, WeightedCluster } from '../snapshot/route-snapshot.js';
import type { ExplainedCluster, ExplainedEndpoint, ExplainOutcome } from './explanation.js';
import type { OutboundExplainer } from './explain-outbound.js';

/** What cluster-state knows of an endpoint now; undefined when no call has touched it yet. */
export interface EndpointStates {
  endpointState(cluster: string, address: string): EndpointStateView | undefined;
}

export interface EndpointStateView {
  readonly activeRequests: number;
  readonly ejected: boolean;
  readonly ejectedForMs: number | undefined;
}

export function explainClusters(
  entries: readonly WeightedCluster[],
  totalWeight: number,
  host: string,
  port: number,
  explainer: OutboundExplainer,
  steps: ExplainStep[],
  action: ForwardAction | undefined,
): ExplainOutcome {
  const clusters: ExplainedCluster[] = [];
  for (const { name, weight } of entries) {
    const share = totalWeight === 0 ? 0 : weight / totalWeight;
    const cluster = explainer.snapshot.cluster(name);
    steps.push(clusterStep(name, share, cluster, explainer));
    if (cluster === undefined) continue;
    if (cluster.discovery === 'original-dst') return { kind: 'passthrough', host, port };
    const endpoints = endpointsOf(cluster, explainer);
    steps.push(...endpoints.map((endpoint) => endpointStep(name, endpoint, explainer)));
    clusters.push({ name, share, balancer: cluster.balancer.kind, endpoints });
  }
  if (clusters.length === 0) return { kind: 'error', code: 'NO_CLUSTER', status: ERROR_KINDS.NO_CLUSTER.httpStatus };
  if (clusters.every(({ endpoints, share }) => share === 0 || endpoints.length === 0)) {
    return { kind: 'error', code: 'NO_HEALTHY_UPSTREAM', status: ERROR_KINDS.NO_HEALTHY_UPSTREAM.httpStatus, clusters };
  }
  return {
    kind: 'forward',
    clusters,
    timeoutMs: action?.timeoutMs ?? 0,
    retries: action?.retry?.numRetries ?? 0,
    perTryTimeoutMs: action?.retry?.perTryTimeoutMs ?? 0,
  };
}

function clusterStep(
  name: string,
  share: number,
  cluster: ClusterSnapshot | undefined,
  explainer: OutboundExplainer,
): ExplainStep {
  const origin = explainer.originOf(CLUSTER_TYPE_URL, name);
  if (cluster === undefined) {
    return { stage: 'cluster', subject: name, verdict: 'rejected', reason: 'the feed has no such cluster', origin };
  }
  const { limits, outlier, balancer } = cluster;
  return {
    stage: 'cluster',
    subject: name,
    verdict: share > 0 ? 'chosen' : 'rejected',
    reason: `${(100 * share).toFixed(1)} % of the calls, balanced by ${balancer.kind}`,
    origin,
    facts: {
      share,
      connectTimeoutMs: cluster.connectTimeoutMs,
      maxConnections: limits.maxConnections,
      maxPendingRequests: limits.maxPendingRequests,
      maxRequests: limits.maxRequests,
      maxRetries: limits.maxRetries,
      consecutive5xx: outlier?.consecutive5xx ?? null,
      maxEjectionPercent: outlier?.maxEjectionPercent ?? null,
    },
  };
}

function endpointsOf(cluster: ClusterSnapshot, explainer: OutboundExplainer): ExplainedEndpoint[] {
  const endpoints = cluster.priorities.flatMap(({ localities }) =>
    localities.flatMap((locality) => locality.endpoints),
  );
  return endpoints.map((endpoint) => explainedEndpoint(cluster, endpoint, explainer));
}

function explainedEndpoint(
  cluster: ClusterSnapshot,
  endpoint: EndpointSnapshot,
  { states }: OutboundExplainer,
): ExplainedEndpoint {
  const state = states.endpointState(cluster.name, endpoint.address);
  return {
    address: endpoint.address,
    health: endpoint.health,
    weight: endpoint.weight,
    ejected: state?.ejected ?? false,
    ejectedForMs: state?.ejectedForMs,
    activeRequests: state?.activeRequests ?? 0,
    security: securityText(cluster.tlsFor(endpoint)),
  };
}

function endpointStep(cluster: string, endpoint: ExplainedEndpoint, explainer: OutboundExplainer): ExplainStep {
  const usable = !endpoint.ejected && endpoint.health !== 'unhealthy' && endpoint.health !== 'draining';
  const ejection = endpoint.ejected ? `, ejected for ${Math.ceil((endpoint.ejectedForMs ?? 0) / 1_000)} s more` : '';
  return {
    stage: 'endpoint',
    subject: endpoint.address,
    verdict: usable ? 'info' : 'rejected',
    reason: `${endpoint.health}${ejection}, ${endpoint.activeRequests} in flight, ${endpoint.security}`,
    origin:
      explainer.originOf(ENDPOINT_TYPE_URL, cluster, endpoint.address) ??
      explainer.originOf(CLUSTER_TYPE_URL, cluster, endpoint.address),
    facts: { cluster, weight: endpoint.weight },
  };
}

function securityText(tls: UpstreamTls | undefined): string {
  if (tls === undefined) return 'plain text';
  const accepted = tls.sans.length === 0 ? '' : `, accepts ${tls.sans.map(({ text }) => text).join(' or ')}`;
  return `${tls.presentsCertificate ? 'mutual TLS' : 'TLS'}${accepted}`;
}
