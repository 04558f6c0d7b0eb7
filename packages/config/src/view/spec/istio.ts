// The fields of Istio's networking and security specs that translation reads, as written in YAML (CRD schemas of Istio 1.31).
// Everything is optional: objects are validated before they come here, but defaults are not filled in.

export interface StringMatch {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}
type Strings = readonly string[];
type StringMap = Readonly<Record<string, string>>;
export interface Destination {
  readonly host?: string;
  readonly subset?: string;
  readonly port?: { readonly number?: number };
}
export interface HeaderOperations {
  readonly set?: StringMap;
  readonly add?: StringMap;
  readonly remove?: Strings;
}
export interface HeadersSpec {
  readonly request?: HeaderOperations;
  readonly response?: HeaderOperations;
}
export interface HttpMatchSpec {
  readonly name?: string;
  readonly uri?: StringMatch;
  readonly scheme?: StringMatch;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly headers?: Readonly<Record<string, StringMatch | null>>;
  readonly withoutHeaders?: Readonly<Record<string, StringMatch | null>>;
  readonly queryParams?: Readonly<Record<string, StringMatch | null>>;
  readonly port?: number;
  readonly sourceLabels?: StringMap;
  readonly sourceNamespace?: string;
  readonly gateways?: Strings;
  readonly ignoreUriCase?: boolean;
  readonly statPrefix?: string;
}
export interface WeightedDestination {
  readonly destination?: Destination;
  readonly weight?: number;
  readonly headers?: HeadersSpec;
}
export interface PercentSpec {
  readonly value?: number;
}
export interface RetrySpec {
  readonly attempts?: number;
  readonly perTryTimeout?: string;
  readonly retryOn?: string;
  readonly retryRemoteLocalities?: boolean;
  readonly retryIgnorePreviousHosts?: boolean;
  readonly backoff?: string;
}
export interface FaultSpec {
  readonly delay?: { readonly fixedDelay?: string; readonly percent?: number; readonly percentage?: PercentSpec };
  readonly abort?: { readonly httpStatus?: number; readonly grpcStatus?: string; readonly percentage?: PercentSpec };
}
export interface RedirectSpec {
  readonly uri?: string;
  readonly authority?: string;
  readonly port?: number;
  readonly derivePort?: 'FROM_PROTOCOL_DEFAULT' | 'FROM_REQUEST_PORT';
  readonly scheme?: string;
  readonly redirectCode?: number;
  /** Only Gateway API can say this (`ReplacePrefixMatch`). */
  readonly prefixRewrite?: string;
}
export interface RewriteSpec {
  readonly uri?: string;
  readonly authority?: string;
  readonly uriRegexRewrite?: { readonly match?: string; readonly rewrite?: string };
}
export interface MirrorSpec {
  readonly destination?: Destination;
  readonly percentage?: PercentSpec;
}
export interface CorsSpec {
  readonly allowOrigins?: readonly StringMatch[];
  readonly allowOrigin?: Strings;
  readonly allowMethods?: Strings;
  readonly allowHeaders?: Strings;
  readonly exposeHeaders?: Strings;
  readonly maxAge?: string;
  readonly allowCredentials?: boolean;
  readonly unmatchedPreflights?: 'UNSPECIFIED' | 'FORWARD' | 'IGNORE';
}
export interface HttpRuleSpec {
  readonly name?: string;
  readonly match?: readonly HttpMatchSpec[];
  readonly route?: readonly WeightedDestination[];
  readonly redirect?: RedirectSpec;
  readonly directResponse?: {
    readonly status?: number;
    readonly body?: { readonly string?: string; readonly bytes?: string };
  };
  readonly delegate?: { readonly name?: string; readonly namespace?: string };
  readonly rewrite?: RewriteSpec;
  readonly timeout?: string;
  readonly retries?: RetrySpec;
  readonly fault?: FaultSpec;
  readonly mirror?: Destination;
  readonly mirrorPercent?: number | null;
  /** An older spelling that the CRD still takes. */
  readonly mirror_percent?: number | null;
  readonly mirrorPercentage?: PercentSpec;
  readonly mirrors?: readonly MirrorSpec[];
  readonly corsPolicy?: CorsSpec;
  readonly headers?: HeadersSpec;
}
export interface TcpRuleSpec {
  readonly match?: readonly {
    readonly destinationSubnets?: Strings;
    readonly port?: number;
    readonly sourceLabels?: StringMap;
    readonly sourceNamespace?: string;
    readonly gateways?: Strings;
    readonly sniHosts?: Strings;
  }[];
  readonly route?: readonly WeightedDestination[];
}
export interface VirtualServiceSpec {
  readonly hosts?: Strings;
  readonly gateways?: Strings;
  readonly http?: readonly HttpRuleSpec[];
  readonly tcp?: readonly TcpRuleSpec[];
  readonly tls?: readonly TcpRuleSpec[];
  readonly exportTo?: Strings;
}

export interface ConsistentHashSpec {
  readonly httpHeaderName?: string;
  readonly httpCookie?: {
    readonly name?: string;
    readonly path?: string;
    readonly ttl?: string;
    readonly attributes?: readonly { readonly name?: string; readonly value?: string }[];
  };
  readonly useSourceIp?: boolean;
  readonly httpQueryParameterName?: string;
  readonly minimumRingSize?: number;
  readonly ringHash?: { readonly minimumRingSize?: number };
  readonly maglev?: { readonly tableSize?: number };
}
export interface LocalityLbSpec {
  readonly enabled?: boolean;
  readonly distribute?: readonly { readonly from?: string; readonly to?: Readonly<Record<string, number>> }[];
  readonly failover?: readonly { readonly from?: string; readonly to?: string }[];
  readonly failoverPriority?: Strings;
}
export interface LoadBalancerSpec {
  readonly simple?: 'UNSPECIFIED' | 'LEAST_CONN' | 'LEAST_REQUEST' | 'RANDOM' | 'PASSTHROUGH' | 'ROUND_ROBIN';
  readonly consistentHash?: ConsistentHashSpec;
  readonly localityLbSetting?: LocalityLbSpec;
  readonly warmupDurationSecs?: string;
  readonly warmup?: { readonly duration?: string; readonly minimumPercent?: number; readonly aggression?: number };
}
export interface ConnectionPoolSpec {
  readonly tcp?: {
    readonly maxConnections?: number;
    readonly connectTimeout?: string;
    readonly idleTimeout?: string;
    readonly maxConnectionDuration?: string;
    readonly tcpKeepalive?: { readonly probes?: number; readonly time?: string; readonly interval?: string };
  };
  readonly http?: {
    readonly http1MaxPendingRequests?: number;
    readonly http2MaxRequests?: number;
    readonly maxRequestsPerConnection?: number;
    readonly maxRetries?: number;
    readonly idleTimeout?: string;
    readonly h2UpgradePolicy?: 'DEFAULT' | 'UPGRADE' | 'DO_NOT_UPGRADE';
    readonly useClientProtocol?: boolean;
    readonly maxConcurrentStreams?: number;
    readonly http2KeepAlive?: { readonly interval?: string; readonly timeout?: string };
  };
}
export interface OutlierDetectionSpec {
  readonly consecutiveErrors?: number;
  readonly consecutive5xxErrors?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly splitExternalLocalOriginErrors?: boolean;
  readonly consecutiveLocalOriginFailures?: number;
  readonly interval?: string;
  readonly baseEjectionTime?: string;
  readonly maxEjectionPercent?: number;
  readonly minHealthPercent?: number;
}
export interface ClientTlsSpec {
  readonly mode?: 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly credentialName?: string;
  readonly caCrl?: string;
  readonly subjectAltNames?: Strings;
  readonly sni?: string;
  readonly insecureSkipVerify?: boolean;
}
export interface TrafficPolicySpec {
  readonly loadBalancer?: LoadBalancerSpec;
  readonly connectionPool?: ConnectionPoolSpec;
  readonly outlierDetection?: OutlierDetectionSpec;
  readonly tls?: ClientTlsSpec;
  readonly retryBudget?: { readonly percent?: number; readonly minRetryConcurrency?: number };
  readonly portLevelSettings?: readonly (Omit<TrafficPolicySpec, 'portLevelSettings'> & {
    readonly port?: { readonly number?: number };
  })[];
  readonly tunnel?: unknown;
  readonly proxyProtocol?: unknown;
}
export interface SubsetSpec {
  readonly name?: string;
  readonly labels?: StringMap;
  readonly trafficPolicy?: TrafficPolicySpec;
}
export interface DestinationRuleSpec {
  readonly host?: string;
  readonly trafficPolicy?: TrafficPolicySpec;
  readonly subsets?: readonly SubsetSpec[];
  readonly exportTo?: Strings;
  readonly workloadSelector?: { readonly matchLabels?: StringMap };
}

export interface WorkloadEntrySpec {
  readonly address?: string;
  readonly ports?: Readonly<Record<string, number>>;
  readonly labels?: StringMap;
  readonly network?: string;
  readonly locality?: string;
  readonly weight?: number;
  readonly serviceAccount?: string;
}
export interface ServiceEntrySpec {
  readonly hosts?: Strings;
  readonly addresses?: Strings;
  readonly ports?: readonly {
    readonly number?: number;
    readonly protocol?: string;
    readonly name?: string;
    readonly targetPort?: number;
  }[];
  readonly location?: 'MESH_EXTERNAL' | 'MESH_INTERNAL';
  readonly resolution?: 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS';
  readonly endpoints?: readonly WorkloadEntrySpec[];
  readonly workloadSelector?: { readonly labels?: StringMap };
  readonly exportTo?: Strings;
  readonly subjectAltNames?: Strings;
}
export interface SidecarSpec {
  readonly workloadSelector?: { readonly labels?: StringMap };
  readonly egress?: readonly {
    readonly port?: { readonly number?: number };
    readonly bind?: string;
    readonly hosts?: Strings;
  }[];
  readonly ingress?: readonly unknown[];
  readonly outboundTrafficPolicy?: { readonly mode?: 'REGISTRY_ONLY' | 'ALLOW_ANY' };
}
export type MtlsMode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT';
export interface PeerAuthenticationSpec {
  readonly selector?: { readonly matchLabels?: StringMap };
  readonly mtls?: { readonly mode?: MtlsMode };
  readonly portLevelMtls?: Readonly<Record<string, { readonly mode?: MtlsMode }>>;
}
