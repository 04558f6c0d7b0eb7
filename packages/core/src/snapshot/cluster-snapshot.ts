// Compiled clusters and their endpoints. Values only: counters, ejections and pools live in cluster-state, keyed by cluster name and address.
import type { SanMatcher } from '../identity/san-matcher.js';

export interface ClusterSnapshot {
  readonly name: string;
  /** Cluster version and endpoint version; equal versions mean the identical object. */
  readonly version: string;
  readonly discovery: 'eds' | 'static' | 'strict-dns' | 'logical-dns' | 'original-dst';
  /** Service that Istio names in the cluster's metadata, for telemetry labels and explain. */
  readonly service: { readonly host: string; readonly name: string; readonly namespace: string } | undefined;
  readonly balancer: BalancerConfig;
  /** Endpoints by priority (0 first). EDS, static: as configured; DNS clusters: names to resolve. */
  readonly priorities: readonly PrioritySnapshot[];
  /** False while the feed has not yet sent the endpoints (no assignment at all): a call waits for nothing and fails with UH. */
  readonly endpointsKnown: boolean;
  /** Percent of overprovisioning (Envoy default 140) and panic threshold in percent (default 50, istiod sends 0). */
  readonly overprovisioningFactor: number;
  readonly panicThresholdPercent: number;
  readonly connectTimeoutMs: number;
  readonly limits: CircuitBreakerLimits;
  readonly outlier: OutlierConfig | undefined;
  /** True when the upstream speaks HTTP/2 (explicit or typed protocol options). */
  readonly http2: boolean;
  /** Idle time after which a pooled connection closes; Envoy default 1 h. */
  readonly idleTimeoutMs: number;
  readonly maxRequestsPerConnection: number;
  /** Security for one endpoint, by its metadata (transport_socket_matches, first match wins, else the cluster's own socket). */
  tlsFor(endpoint: EndpointSnapshot): UpstreamTls | undefined;
}

export interface PrioritySnapshot {
  readonly localities: readonly LocalitySnapshot[];
}

export interface LocalitySnapshot {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  /** Load-balancing weight of the locality; 0 = unset. */
  readonly weight: number;
  readonly endpoints: readonly EndpointSnapshot[];
}

export type HealthStatus = 'unknown' | 'healthy' | 'unhealthy' | 'draining' | 'timeout' | 'degraded';

export interface EndpointSnapshot {
  /** `ip:port`, `[v6]:port`, or `name:port` in DNS clusters: the identity of the endpoint across updates. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Hostname of the endpoint (auto host rewrite), where set. */
  readonly hostname: string | undefined;
  readonly weight: number;
  readonly health: HealthStatus;
  /** `tlsMode` of envoy.transport_socket_match metadata: `istio`, `disabled`, or undefined. */
  readonly tlsMode: string | undefined;
  /** Istio's workload metadata `workload;namespace;canonical-name;canonical-revision;cluster`, where sent. */
  readonly workload: string | undefined;
  /** envoy.lb metadata (subset balancing). */
  readonly subsetMetadata: Readonly<Record<string, unknown>> | undefined;
}

export type BalancerConfig =
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'least-request'; readonly choiceCount: number; readonly activeRequestBias: number }
  | { readonly kind: 'random' }
  | { readonly kind: 'ring-hash'; readonly minimumRingSize: number; readonly maximumRingSize: number }
  | { readonly kind: 'maglev'; readonly tableSize: number }
  | { readonly kind: 'cluster-provided' };

/** Circuit-breaker limits of the default priority (Envoy defaults: 1024, 1024, 1024, 3; istiod sends 2^32-1). */
export interface CircuitBreakerLimits {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
}

/** Outlier detection with Envoy's defaults filled in. Percentages 0 to 100. */
export interface OutlierConfig {
  readonly consecutive5xx: number;
  readonly enforcingConsecutive5xx: number;
  readonly consecutiveGatewayFailure: number;
  readonly enforcingConsecutiveGatewayFailure: number;
  readonly consecutiveLocalOriginFailure: number;
  readonly enforcingConsecutiveLocalOriginFailure: number;
  readonly splitExternalLocalOriginErrors: boolean;
  readonly intervalMs: number;
  readonly baseEjectionTimeMs: number;
  readonly maxEjectionTimeMs: number;
  readonly maxEjectionTimeJitterMs: number;
  readonly maxEjectionPercent: number;
  /** Ejects one host even where maxEjectionPercent forbids it (Envoy: always_eject_one_host, default false). */
  readonly alwaysEjectOneHost?: boolean;
  /** Success-rate and failure-percentage detectors; kept as configured, enforced where implemented, else reported as unsupported. */
  readonly successRate:
    | {
        readonly enforcing: number;
        readonly minimumHosts: number;
        readonly requestVolume: number;
        readonly stdevFactor: number;
      }
    | undefined;
  readonly failurePercentage:
    | {
        readonly enforcing: number;
        readonly minimumHosts: number;
        readonly requestVolume: number;
        readonly threshold: number;
      }
    | undefined;
}

/** How to secure a connection to an endpoint; undefined = plain text. */
export interface UpstreamTls {
  /** True when this workload's own certificate is presented (ISTIO_MUTUAL by SDS `default`, or MUTUAL with files). */
  readonly presentsCertificate: boolean;
  /** Certificates from: this workload's identity, or files named by the configuration. */
  readonly certificateSource:
    { readonly kind: 'identity' } | { readonly kind: 'files'; readonly certificate: string; readonly key: string };
  /** Roots from: the mesh's trust bundles, a file, or the system. */
  readonly rootSource:
    { readonly kind: 'identity' } | { readonly kind: 'file'; readonly path: string } | { readonly kind: 'system' };
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
  /** Any one must match a SAN of the peer; empty = chain validation only. */
  readonly sans: readonly SanMatcher[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly ciphers: readonly string[];
  /** Equal keys may share pools and sessions. */
  readonly key: string;
}
