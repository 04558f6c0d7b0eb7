// Compiles a ClusterLoadAssignment into priorities, localities and endpoints.
import {
  type ClusterLoadAssignment,
  HealthStatus as Health,
  type LbEndpoint,
  type LocalityLbEndpoints,
  type Metadata,
} from '@heddle/xds';
import { isIPv6 } from 'node:net';
import type { EndpointSnapshot, HealthStatus, LocalitySnapshot, PrioritySnapshot } from '../cluster-snapshot.js';
import type { CompileReport } from '../compile-report.js';

export interface CompiledAssignment {
  readonly version: string;
  readonly priorities: readonly PrioritySnapshot[];
  /** Envoy's default 140. */
  readonly overprovisioningFactor: number;
  readonly report: CompileReport;
}

/** Envoy: priorities range from 0 to 128. */
const MAX_PRIORITY = 128;

export function compileAssignment(
  message: ClusterLoadAssignment,
  version: string,
  report: CompileReport,
): CompiledAssignment {
  const byPriority: LocalitySnapshot[][] = [];
  for (const [index, group] of message.endpoints.entries()) {
    const path = `endpoints[${index}]`;
    if (group.priority > MAX_PRIORITY) {
      report.fault(`${path}.priority`, `must not exceed ${MAX_PRIORITY}`);
      continue;
    }
    while (byPriority.length <= group.priority) byPriority.push([]);
    byPriority[group.priority]?.push(compileLocality(group, path, report));
  }
  const factor = message.policy?.overprovisioningFactor ?? 140;
  if (factor === 0) report.fault('policy.overprovisioning_factor', 'must be greater than 0');
  return {
    version,
    priorities: byPriority.map((localities) => ({ localities })),
    overprovisioningFactor: factor,
    report,
  };
}

function compileLocality(group: LocalityLbEndpoints, path: string, report: CompileReport): LocalitySnapshot {
  if (group.lbConfig.case === 'ledsClusterLocalityConfig')
    report.ignored(
      `${path}.leds_cluster_locality_config`,
      'endpoints are not discovered one by one: the locality has none',
    );
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the field is honoured as long as Envoy honours it
  const listed = group.lbConfig.case === 'loadBalancerEndpoints' ? group.lbConfig.value.lbEndpoints : group.lbEndpoints;
  return {
    region: group.locality?.region ?? '',
    zone: group.locality?.zone ?? '',
    subZone: group.locality?.subZone ?? '',
    weight: group.loadBalancingWeight ?? 0,
    endpoints: listed.flatMap((endpoint, index) => compileEndpoint(endpoint, `${path}.lb_endpoints[${index}]`, report)),
  };
}

function compileEndpoint(message: LbEndpoint, path: string, report: CompileReport): readonly EndpointSnapshot[] {
  const identifier = message.hostIdentifier;
  const address = identifier.case === 'endpoint' ? identifier.value.address?.address : undefined;
  if (identifier.case !== 'endpoint' || address?.case !== 'socketAddress') {
    report.ignored(
      path,
      `an endpoint without a socket address (${address?.case ?? identifier.case ?? 'none'}) is not used`,
    );
    return [];
  }
  const { address: host, portSpecifier } = address.value;
  if (host === '' || portSpecifier.case !== 'portValue') {
    report.fault(`${path}.endpoint.address`, 'needs an address and a port number');
    return [];
  }
  const port = portSpecifier.value;
  return [
    {
      // The colon first: Node compiles a large expression for its first question about an IPv6 address (7 ms).
      address: host.includes(':') && isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`,
      host,
      port,
      hostname: identifier.value.hostname === '' ? undefined : identifier.value.hostname,
      weight: message.loadBalancingWeight ?? 1,
      health: healthOf(message.healthStatus),
      tlsMode: metadataText(message.metadata, 'envoy.transport_socket_match', 'tlsMode'),
      workload: metadataText(message.metadata, 'istio', 'workload'),
      subsetMetadata: message.metadata?.filterMetadata['envoy.lb'],
    },
  ];
}

function metadataText(metadata: Metadata | undefined, namespace: string, key: string): string | undefined {
  const value = metadata?.filterMetadata[namespace]?.[key];
  return typeof value === 'string' ? value : undefined;
}

function healthOf(status: Health): HealthStatus {
  switch (status) {
    case Health.UNKNOWN:
      return 'unknown';
    case Health.HEALTHY:
      return 'healthy';
    case Health.UNHEALTHY:
      return 'unhealthy';
    case Health.DRAINING:
      return 'draining';
    case Health.TIMEOUT:
      return 'timeout';
    case Health.DEGRADED:
      return 'degraded';
  }
}
