// All outbound clusters of a workload with their endpoints, and the clusters that exist without a service.
import {
  BLACK_HOLE_CLUSTER,
  type Cluster,
  type ClusterLoadAssignment,
  ClusterSchema,
  type ConfigOrigin,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  PASSTHROUGH_CLUSTER,
  UpstreamHttpProtocolOptionsSchema,
  create,
  packAny,
} from '@heddle/xds';
import type { MeshEndpoint } from '../../view/endpoints.js';
import type { MeshPort, MeshService } from '../../view/mesh-service.js';
import { servingHost } from '../../view/mesh-view.js';
import { mtlsOfNamespace } from '../../view/peer-authentication.js';
import type { TranslationContext } from '../context.js';
import { NO_DETAILS, type OriginDetails, type Translated, originAt } from '../translated.js';
import { durationOfMs } from '../wire.js';
import { HTTP_OPTIONS, asDownstream, circuitBreakers } from './connection-pool.js';
import { speaksMutualTls } from './endpoint-tls.js';
import { applyDistribution, applyFailover, loadAssignment } from './load-assignment.js';
import type { PortInputs } from './port-inputs.js';
import { type PortCluster, isDnsCluster, localityEnabled, portClusters, subsetEndpoints } from './service-clusters.js';

export interface OutboundClusters {
  readonly clusters: readonly Translated<Cluster>[];
  readonly endpoints: readonly Translated<ClusterLoadAssignment>[];
}

export function outboundClusters(context: TranslationContext): OutboundClusters {
  const parts = context.scope.services.flatMap((service) =>
    servingHost(context.view, service) === service.host
      ? service.ports.filter((port) => port.protocol !== 'udp').map((port) => ofPort(context, service, port))
      : [],
  );
  return {
    clusters: [...parts.flatMap((part) => part.clusters), ...context.reuse.of('fixed clusters', [], fixedClusters)],
    endpoints: parts.flatMap((part) => part.endpoints),
  };
}

function ofPort(context: TranslationContext, service: MeshService, port: MeshPort): OutboundClusters {
  const { view, workload } = context;
  const rule = context.ruleFor(service.host);
  const endpoints = view.endpoints(service, port);
  const plain = mtlsOfNamespace(view.peerAuthentications, service.namespace, view.settings.rootNamespace) === 'DISABLE';
  const { locality, clusterId } = workload;
  const reads = [service, rule, endpoints, plain, locality.region, locality.zone, locality.subZone, clusterId];
  const key = `cluster ${service.host}:${port.number}`;
  return context.reuse.of(key, [...reads, ...view.peerAuthentications], () => {
    const inputs = { service, port, rule, endpoints, plain };
    const details = new EndpointOrigins(endpoints);
    const made = portClusters(view, inputs).map((part) => ({ part, assignment: assignmentOf(context, inputs, part) }));
    return {
      clusters: made.map(({ part, assignment }) => translatedCluster(part, assignment, details)),
      endpoints: made
        .filter(({ part }) => usesEds(part.cluster))
        .map(({ part, assignment }) => ({
          name: assignment.clusterName,
          message: assignment,
          origin: originAt(part.object),
          details,
        })),
    };
  });
}

/** Asked for now and then, so nothing is kept: the endpoint is searched. */
class EndpointOrigins implements OriginDetails {
  constructor(private readonly endpoints: readonly MeshEndpoint[]) {}

  get(detail: string): ConfigOrigin | undefined {
    const found = this.endpoints.find(({ address, port }) => detail === `${address}:${port}`);
    return found === undefined ? undefined : originAt(found.instance.object);
  }
}

function translatedCluster(
  part: PortCluster,
  assignment: ClusterLoadAssignment,
  endpoints: OriginDetails,
): Translated<Cluster> {
  const { cluster } = part;
  if (isDnsCluster(cluster)) cluster.loadAssignment = assignment;
  const subsets = part.object.spec['subsets'];
  const index = Array.isArray(subsets) && part.subset !== undefined ? subsets.indexOf(part.subset) : -1;
  const path = index < 0 ? [] : ['spec', 'subsets', index];
  const details = usesEds(cluster) ? NO_DETAILS : endpoints;
  return { name: cluster.name, message: cluster, origin: originAt(part.object, path), details };
}

function usesEds(cluster: Cluster): boolean {
  return cluster.clusterDiscoveryType.value === Cluster_DiscoveryType.EDS;
}

function assignmentOf(context: TranslationContext, inputs: PortInputs, part: PortCluster): ClusterLoadAssignment {
  const chosen = subsetEndpoints(inputs.endpoints, part.subset).map((endpoint) => ({
    endpoint,
    mutualTls: !inputs.service.external && speaksMutualTls(context.view, endpoint, part.policy.tls),
  }));
  const assignment = loadAssignment(part.cluster.name, chosen, context.workload.clusterId);
  if (!localityEnabled(part.policy)) return assignment;
  const setting = part.policy.loadBalancer?.localityLbSetting ?? {};
  if (setting.distribute !== undefined) applyDistribution(assignment, context.workload.locality, setting.distribute);
  else applyFailover(assignment, context.workload.locality, setting.failover ?? []);
  return assignment;
}

function fixedClusters(): readonly Translated<Cluster>[] {
  const blackHole = create(ClusterSchema, {
    name: BLACK_HOLE_CLUSTER,
    altStatName: `${BLACK_HOLE_CLUSTER};`,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout: durationOfMs(10_000),
  });
  return [blackHole, originalDestination(PASSTHROUGH_CLUSTER)].map((message) => ({
    name: message.name,
    message,
    origin: undefined,
    details: NO_DETAILS,
  }));
}

/** A cluster that sends to wherever the caller dialled. */
export function originalDestination(name: string): Cluster {
  const options = create(UpstreamHttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: { idleTimeout: durationOfMs(300_000) },
    upstreamProtocolOptions: asDownstream(),
  });
  return create(ClusterSchema, {
    name,
    altStatName: 'PassthroughCluster;',
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    connectTimeout: durationOfMs(10_000),
    circuitBreakers: circuitBreakers({}),
    typedExtensionProtocolOptions: { [HTTP_OPTIONS]: packAny(UpstreamHttpProtocolOptionsSchema, options) },
  });
}
