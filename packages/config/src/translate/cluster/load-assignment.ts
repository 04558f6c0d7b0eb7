// Endpoints of a cluster by locality, in Istio's shape: tlsMode and workload metadata, weights, priorities on locality failover.
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
  HealthStatus,
  type LbEndpoint,
  LbEndpointSchema,
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
  create,
} from '@heddle/xds';
import type { MeshEndpoint } from '../../view/endpoints.js';
import type { Locality } from '../../view/workload-instances.js';

export interface AssignedEndpoint {
  readonly endpoint: MeshEndpoint;
  readonly mutualTls: boolean;
}

export function loadAssignment(
  clusterName: string,
  endpoints: readonly AssignedEndpoint[],
  clusterId: string,
): ClusterLoadAssignment {
  const groups = new Map<string, AssignedEndpoint[]>();
  for (const assigned of endpoints) {
    const { region, zone, subZone } = assigned.endpoint.instance.locality;
    const key = `${region}/${zone}/${subZone}`;
    groups.set(key, [...(groups.get(key) ?? []), assigned]);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: sorted.map(([, group]) => localityEndpoints(group, clusterId)),
  });
}

function localityEndpoints(group: readonly AssignedEndpoint[], clusterId: string): LocalityLbEndpoints {
  const weight = group.reduce((sum, { endpoint }) => sum + endpoint.instance.weight, 0);
  return create(LocalityLbEndpointsSchema, {
    locality: { ...group[0]?.endpoint.instance.locality },
    lbEndpoints: group.map((assigned) => lbEndpoint(assigned, clusterId)),
    loadBalancingWeight: weight,
  });
}

function lbEndpoint({ endpoint, mutualTls }: AssignedEndpoint, clusterId: string): LbEndpoint {
  const { instance } = endpoint;
  return create(LbEndpointSchema, {
    hostIdentifier: {
      case: 'endpoint',
      value: {
        address: {
          address: {
            case: 'socketAddress',
            value: { address: endpoint.address, portSpecifier: { case: 'portValue', value: endpoint.port } },
          },
        },
      },
    },
    healthStatus: HEALTH[endpoint.health],
    metadata: {
      filterMetadata: {
        ...(mutualTls ? { 'envoy.transport_socket_match': { tlsMode: 'istio' } } : {}),
        istio: { workload: workloadText(instance.name, instance.namespace, instance.labels, clusterId) },
      },
    },
    loadBalancingWeight: instance.weight,
  });
}

const HEALTH = {
  healthy: HealthStatus.HEALTHY,
  unhealthy: HealthStatus.UNHEALTHY,
  draining: HealthStatus.DRAINING,
  unknown: HealthStatus.UNKNOWN,
} as const;

/** `workload;namespace;canonical-name;canonical-revision;cluster` (Istio: BuildLbEndpointMetadata). */
function workloadText(
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  clusterId: string,
): string {
  const canonical =
    labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? name;
  const revision =
    labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version'] ?? labels['version'] ?? '';
  return [name, namespace, canonical, revision, clusterId].join(';');
}

/**
 * Gives localities priorities by their distance from the client: same subzone 0, zone 1, region 2, the region that the rule
 * fails over to 3, others 4; then without gaps (Istio: applyLocalityFailover).
 */
export function applyFailover(
  assignment: ClusterLoadAssignment,
  client: Locality,
  failover: readonly { readonly from?: string; readonly to?: string }[],
): void {
  const target = failover.find((setting) => setting.from === client.region)?.to;
  const distances = assignment.endpoints.map((group) =>
    distance(client, group.locality ?? { region: '', zone: '', subZone: '' }, target),
  );
  const ranks = [...new Set(distances)].sort((a, b) => a - b);
  assignment.endpoints.forEach((group, index) => {
    group.priority = ranks.indexOf(distances[index] ?? 0);
  });
}

function distance(client: Locality, other: Locality, target: string | undefined): number {
  if (client.region !== other.region) return target === undefined || target === other.region ? 3 : 4;
  if (client.zone !== other.zone) return 2;
  return client.subZone === other.subZone ? 0 : 1;
}

/** Spreads load over localities as `distribute` says; localities that it does not name get nothing (Istio: applyLocalityWeights). */
export function applyDistribution(
  assignment: ClusterLoadAssignment,
  client: Locality,
  distribute: readonly { readonly from?: string; readonly to?: Readonly<Record<string, number>> }[],
): void {
  const setting = distribute.find((candidate) => localityMatches(client, candidate.from ?? ''));
  if (setting === undefined) return;
  const rest = new Set(assignment.endpoints);
  for (const [pattern, weight] of Object.entries(setting.to ?? {})) {
    const named = [...rest].filter((group) => group.locality !== undefined && localityMatches(group.locality, pattern));
    const total = named.reduce((sum, group) => sum + (group.loadBalancingWeight ?? 1), 0);
    for (const group of named) {
      rest.delete(group);
      group.loadBalancingWeight = Math.ceil(((group.loadBalancingWeight ?? 1) * weight) / total);
    }
  }
  for (const group of rest) group.lbEndpoints = [];
}

/** `*`, `region/*`, `region/zone/*` or a full locality. */
function localityMatches(locality: Locality, pattern: string): boolean {
  const parts = pattern.split('/');
  const own = [locality.region, locality.zone, locality.subZone];
  return own.every((value, index) => {
    const part = parts[index];
    return part === undefined || part === '*' || parts.slice(0, index).includes('*') || part === value;
  });
}
