// The outbound clusters of one service port: the service as a whole and its subsets, with their endpoints.
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  ApiVersion,
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  type JsonObject,
  UpstreamHttpProtocolOptionsSchema,
  create,
  formatClusterName,
  packAny,
} from '@heddle/xds';
import type { MergedRule } from '../../view/destination-rules.js';
import type { MeshEndpoint } from '../../view/endpoints.js';
import type { MeshService } from '../../view/mesh-service.js';
import type { MeshView } from '../../view/mesh-view.js';
import type { SubsetSpec } from '../../view/spec/istio.js';
import { selects } from '../../view/workload-instances.js';
import { configPath, durationOfMs, istioMetadata } from '../wire.js';
import type { ConfigObject } from '../../model/config-object.js';
import {
  HTTP_OPTIONS,
  applyTcpSettings,
  circuitBreakers,
  httpProtocolOptions,
  speaksHttp2,
} from './connection-pool.js';
import { applyLoadBalancer } from './load-balancer.js';
import { applyOutlierDetection } from './outlier-detection.js';
import type { PortInputs } from './port-inputs.js';
import { type PortPolicy, policyFor } from './traffic-policy.js';
import { applyUpstreamTls } from './upstream-tls.js';

export interface PortCluster {
  readonly cluster: Cluster;
  readonly subset: SubsetSpec | undefined;
  readonly policy: PortPolicy;
  /** The object that shaped it beyond the service: the rule of its subset or policy. */
  readonly object: ConfigObject;
}

export function portClusters(view: MeshView, inputs: PortInputs): readonly PortCluster[] {
  const subsets = [undefined, ...(inputs.rule?.subsets ?? [])];
  return subsets.map((subset) => {
    const policy = policyFor(inputs.rule, inputs.port.number, subset);
    const ruleObject = subset === undefined ? undefined : subsetObject(inputs.rule, subset);
    return {
      cluster: buildCluster(view, inputs, policy, subset),
      subset,
      policy,
      object: ruleObject ?? inputs.service.object,
    };
  });
}

function subsetObject(rule: MergedRule | undefined, subset: SubsetSpec): ConfigObject | undefined {
  return rule?.objects.find((object) =>
    (object.spec['subsets'] as readonly SubsetSpec[] | undefined)?.includes(subset),
  );
}

function buildCluster(view: MeshView, inputs: PortInputs, policy: PortPolicy, subset: SubsetSpec | undefined): Cluster {
  const { service, port } = inputs;
  const name = formatClusterName({
    direction: 'outbound',
    port: port.number,
    subset: subset?.name ?? '',
    host: service.host,
  });
  const cluster = create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    connectTimeout: durationOfMs(view.settings.connectTimeoutMs),
    circuitBreakers: circuitBreakers(policy),
    metadata: istioMetadata(clusterMetadata(inputs, policy, subset)),
  });
  applyDiscovery(cluster, service, policy);
  applyLoadBalancer(cluster, policy.loadBalancer);
  applyOutlierDetection(cluster, policy.outlierDetection);
  applyTcpSettings(cluster, policy.connectionPool);
  if (localityEnabled(policy) && cluster.commonLbConfig !== undefined) {
    cluster.commonLbConfig.localityConfigSpecifier = { case: 'localityWeightedLbConfig', value: localityWeighted() };
  }
  const options = httpProtocolOptions(port.protocol, policy.connectionPool);
  if (options !== undefined) {
    cluster.typedExtensionProtocolOptions = { [HTTP_OPTIONS]: packAny(UpstreamHttpProtocolOptionsSchema, options) };
  }
  applyUpstreamTls(cluster, inputs, policy, {
    subset: subset?.name ?? '',
    http2: speaksHttp2(port.protocol, policy.connectionPool),
    trustDomain: view.settings.trustDomain,
  });
  return cluster;
}

function localityWeighted() {
  const made = create(ClusterSchema, {
    commonLbConfig: { localityConfigSpecifier: { case: 'localityWeightedLbConfig', value: {} } },
  }).commonLbConfig?.localityConfigSpecifier;
  if (made?.case !== 'localityWeightedLbConfig') throw new TypeError('localityWeightedLbConfig was not set');
  return made.value;
}

/** Locality settings work only with outlier detection, which notices that a locality is down (Istio). */
export function localityEnabled(policy: PortPolicy): boolean {
  const setting = policy.loadBalancer?.localityLbSetting;
  if (setting === undefined || setting.enabled === false) return false;
  return setting.distribute !== undefined || policy.outlierDetection !== undefined;
}

function applyDiscovery(cluster: Cluster, service: MeshService, policy: PortPolicy): void {
  const kind = policy.loadBalancer?.simple === 'PASSTHROUGH' ? 'passthrough' : service.resolution;
  switch (kind) {
    case 'endpoints':
      cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.EDS };
      cluster.edsClusterConfig = edsConfig(cluster.name);
      return;
    case 'passthrough':
      cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST };
      cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
      return;
    case 'dns':
      cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.STRICT_DNS };
      break;
    case 'dns-round-robin':
      cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.LOGICAL_DNS };
      break;
  }
  cluster.dnsRefreshRate = durationOfMs(60_000);
  cluster.respectDnsTtl = true;
}

function edsConfig(serviceName: string) {
  return create(ClusterSchema, {
    edsClusterConfig: {
      serviceName,
      edsConfig: {
        resourceApiVersion: ApiVersion.V3,
        initialFetchTimeout: durationOfMs(0),
        configSourceSpecifier: { case: 'ads', value: {} },
      },
    },
  }).edsClusterConfig;
}

function clusterMetadata(
  { service, rule }: PortInputs,
  policy: PortPolicy,
  subset: SubsetSpec | undefined,
): JsonObject {
  const tls = policy.tls?.mode;
  const ruleObject = rule?.objects[0];
  return {
    ...(tls === 'SIMPLE' || tls === 'MUTUAL' ? { alpn_override: 'false' } : {}),
    ...(ruleObject === undefined ? {} : { config: configPath(ruleObject, 'destination-rule') }),
    ...(service.external ? { external: true } : {}),
    services: [{ host: service.host, name: service.name, namespace: service.namespace }],
    ...(subset?.name === undefined ? {} : { subset: subset.name }),
  };
}

/** Endpoints of the service that have the subset's labels. */
export function subsetEndpoints(
  endpoints: readonly MeshEndpoint[],
  subset: SubsetSpec | undefined,
): readonly MeshEndpoint[] {
  return subset === undefined ? endpoints : endpoints.filter(({ instance }) => selects(subset.labels, instance.labels));
}

/** DNS clusters carry their endpoints themselves. */
export function isDnsCluster(cluster: Cluster): boolean {
  const type = cluster.clusterDiscoveryType.value;
  return type === Cluster_DiscoveryType.STRICT_DNS || type === Cluster_DiscoveryType.LOGICAL_DNS;
}
