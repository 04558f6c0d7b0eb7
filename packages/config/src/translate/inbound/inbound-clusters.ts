// Inbound clusters: the application behind each served port, and whatever listens on the others.
import { type Cluster, ClusterSchema, Cluster_DiscoveryType, Cluster_LbPolicy, UpstreamHttpProtocolOptionsSchema, create, packAny } from '@heddle/xds'; // prettier-ignore
import type { ServedPort } from '../../view/workload-services.js';
import { HTTP_OPTIONS, applyTcpSettings, circuitBreakers, httpProtocolOptions } from '../cluster/connection-pool.js';
import { originalDestination } from '../cluster/outbound-clusters.js';
import { policyFor } from '../cluster/traffic-policy.js';
import type { TranslationContext } from '../context.js';
import { NO_DETAILS, type Translated, originAt } from '../translated.js';
import { configPath, durationOfMs, istioMetadata } from '../wire.js';

export const INBOUND_PASSTHROUGH_CLUSTER = 'InboundPassthroughCluster';

export function inboundClusterName(targetPort: number): string {
  return `inbound|${targetPort}||`;
}

export function inboundClusters(context: TranslationContext): readonly Translated<Cluster>[] {
  const found = new Map<string, Translated<Cluster>>();
  for (const served of context.served) {
    const name = inboundClusterName(served.targetPort);
    if (found.has(name)) continue;
    const message = inboundCluster(context, name, served);
    found.set(name, { name, message, origin: originAt(served.service.object), details: NO_DETAILS });
  }
  const message = context.reuse.of('inbound passthrough', [], () =>
    loopbackSource(originalDestination(INBOUND_PASSTHROUGH_CLUSTER)),
  );
  return [...found.values(), { name: message.name, message, origin: undefined, details: NO_DETAILS }];
}

function inboundCluster(context: TranslationContext, name: string, { service, port }: ServedPort): Cluster {
  const rule = context.ruleFor(service.host);
  return context.reuse.of(`inbound ${name}`, [service, port, rule], () => {
    const policy = policyFor(rule, port.number);
    const ruleObject = rule?.objects[0];
    const cluster = create(ClusterSchema, {
      name,
      altStatName: `${name};`,
      clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
      lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
      connectTimeout: durationOfMs(context.view.settings.connectTimeoutMs),
      // Of a traffic policy only the connection pool holds inbound (Istio: applyTrafficPolicy).
      circuitBreakers: circuitBreakers(policy),
      commonLbConfig: {},
      metadata: istioMetadata({
        ...(ruleObject === undefined ? {} : { config: configPath(ruleObject, 'destination-rule') }),
        services: [{ host: service.host, name: service.name, namespace: service.namespace }],
      }),
    });
    const pool = policy.connectionPool;
    applyTcpSettings(cluster, pool);
    // What callers are upgraded to says nothing about what the application speaks.
    const own =
      pool?.http === undefined ? pool : { ...pool, http: { ...pool.http, h2UpgradePolicy: 'DO_NOT_UPGRADE' as const } };
    const options = httpProtocolOptions(port.protocol, own);
    if (options !== undefined) {
      cluster.typedExtensionProtocolOptions = { [HTTP_OPTIONS]: packAny(UpstreamHttpProtocolOptionsSchema, options) };
    }
    return loopbackSource(cluster);
  });
}

/** Istio marks its own connections to the application by this source, so that they are not captured again. */
function loopbackSource(cluster: Cluster): Cluster {
  cluster.upstreamBindConfig = create(ClusterSchema, {
    upstreamBindConfig: { sourceAddress: { address: '127.0.0.6', portSpecifier: { case: 'portValue', value: 0 } } },
  }).upstreamBindConfig;
  return cluster;
}
