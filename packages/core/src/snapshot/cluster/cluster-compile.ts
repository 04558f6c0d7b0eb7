// Compiles a Cluster: everything but its endpoints, which arrive on their own (EDS) and are joined to it.
import {
  type Cluster,
  Cluster_DiscoveryType as DiscoveryType,
  UPSTREAM_HTTP_OPTIONS_TYPE_URL,
  UpstreamHttpProtocolOptionsSchema,
  unpackAny,
} from '@heddle/xds';
import { durationMs } from '../../filters/filter-config.js';
import type { ClusterSnapshot } from '../cluster-snapshot.js';
import type { CompileReport } from '../compile-report.js';
import { compileBalancer } from './balancer-config.js';
import { type CompiledAssignment, compileAssignment } from './endpoint-compile.js';
import { compileLimits, compileOutlier } from './outlier-config.js';
import { compileUpstreamSockets } from './upstream-tls.js';

/** A cluster without its endpoints. */
export interface ClusterCore {
  readonly fields: Omit<ClusterSnapshot, 'version' | 'priorities' | 'endpointsKnown' | 'overprovisioningFactor'>;
  readonly version: string;
  /** Name under which EDS delivers the endpoints; undefined: they are inline. */
  readonly edsName: string | undefined;
  readonly inline: CompiledAssignment | undefined;
  readonly report: CompileReport;
}

const OPTIONS_KEY = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export function compileCluster(cluster: Cluster, version: string, report: CompileReport): ClusterCore {
  const discovery = discoveryOf(cluster, report);
  const protocol = protocolOf(cluster, report);
  const fields: ClusterCore['fields'] = {
    name: cluster.name,
    discovery,
    service: serviceOf(cluster),
    balancer: compileBalancer(cluster, report),
    panicThresholdPercent: cluster.commonLbConfig?.healthyPanicThreshold?.value ?? 50,
    connectTimeoutMs: durationMs(cluster.connectTimeout) ?? 5_000,
    limits: compileLimits(cluster.circuitBreakers),
    outlier: compileOutlier(cluster.outlierDetection),
    ...protocol,
    tlsFor: compileUpstreamSockets(cluster, report),
  };
  const inline =
    cluster.loadAssignment === undefined ? undefined : compileAssignment(cluster.loadAssignment, version, report);
  if ((discovery === 'strict-dns' || discovery === 'logical-dns') && inline === undefined)
    report.fault('load_assignment', 'must be set for DNS clusters');
  return { fields, version, edsName: edsNameOf(cluster), inline, report };
}

/** Joins a cluster and its endpoints; `assignment` undefined: the feed has not sent them yet. */
export function joinCluster(core: ClusterCore, assignment: CompiledAssignment | undefined): ClusterSnapshot {
  const endpoints = core.edsName === undefined ? core.inline : assignment;
  return {
    ...core.fields,
    version: `${core.version}/${assignment?.version ?? '-'}`,
    priorities: endpoints?.priorities ?? [],
    endpointsKnown: core.edsName === undefined || assignment !== undefined,
    overprovisioningFactor: endpoints?.overprovisioningFactor ?? 140,
  };
}

/** Name of the assignment that an EDS cluster needs; undefined for the others. */
export function edsNameOf(cluster: Cluster): string | undefined {
  const type = cluster.clusterDiscoveryType;
  if (type.case !== 'type' || type.value !== DiscoveryType.EDS) return undefined;
  const own = cluster.edsClusterConfig?.serviceName ?? '';
  return own === '' ? cluster.name : own;
}

function discoveryOf(cluster: Cluster, report: CompileReport): ClusterSnapshot['discovery'] {
  const type = cluster.clusterDiscoveryType;
  if (type.case === 'clusterType') {
    report.fault('cluster_type', `the cluster type ${type.value.name} is not supported`);
    return 'static';
  }
  switch (type.value) {
    case undefined:
    case DiscoveryType.STATIC:
      return 'static';
    case DiscoveryType.STRICT_DNS:
      return 'strict-dns';
    case DiscoveryType.LOGICAL_DNS:
      return 'logical-dns';
    case DiscoveryType.EDS:
      return 'eds';
    case DiscoveryType.ORIGINAL_DST:
      return 'original-dst';
  }
}

/** HTTP version and connection lifetime, from the typed options or the older fields of the cluster. */
function protocolOf(
  cluster: Cluster,
  report: CompileReport,
): Pick<ClusterSnapshot, 'http2' | 'idleTimeoutMs' | 'maxRequestsPerConnection'> {
  const any = cluster.typedExtensionProtocolOptions[OPTIONS_KEY];
  const path = `typed_extension_protocol_options[${OPTIONS_KEY}]`;
  const options = report.attempt(path, () => unpackAny(UpstreamHttpProtocolOptionsSchema, any));
  if (any !== undefined && options === undefined) report.fault(path, `expected ${UPSTREAM_HTTP_OPTIONS_TYPE_URL}`);
  const upstream = options?.upstreamProtocolOptions;
  const explicit = upstream?.case === 'explicitHttpConfig' ? upstream.value.protocolConfig.case : undefined;
  if (explicit === 'http3ProtocolOptions') report.ignored(path, 'HTTP/3 is not spoken: HTTP/1.1 is used');
  /* eslint-disable @typescript-eslint/no-deprecated -- older feeds still set these fields of the cluster */
  const common = options?.commonHttpProtocolOptions ?? cluster.commonHttpProtocolOptions;
  return {
    http2: explicit === 'http2ProtocolOptions' || (options === undefined && cluster.http2ProtocolOptions !== undefined),
    idleTimeoutMs: durationMs(common?.idleTimeout) ?? 3_600_000,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? cluster.maxRequestsPerConnection ?? 0,
  };
  /* eslint-enable @typescript-eslint/no-deprecated */
}

/** Istio's `filter_metadata.istio.services`: the services that the cluster stands for; the first is the one. */
function serviceOf(cluster: Cluster): ClusterSnapshot['service'] {
  const services = cluster.metadata?.filterMetadata['istio']?.['services'];
  const first: unknown = Array.isArray(services) ? services[0] : undefined;
  if (typeof first !== 'object' || first === null) return undefined;
  const { host, name, namespace } = first as Record<string, unknown>;
  if (typeof host !== 'string' || typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  return { host, name, namespace };
}
