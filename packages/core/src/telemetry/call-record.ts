// What outbound and inbound report to telemetry about one call. One object per call, one shape; telemetry turns it into metrics, spans and logs.

export interface CallRecord {
  readonly reporter: 'source' | 'destination';
  readonly protocol: 'http' | 'grpc' | 'tcp';
  method: string;
  path: string;
  authority: string;
  startMs: number;
  endMs: number;
  /** HTTP status; 0 = no response was sent (client gone). */
  status: number;
  /** gRPC status from header or trailer; -1 for non-gRPC calls. */
  grpcStatus: number;
  /** Envoy's flags joined by `,`; empty = `-`. */
  flags: string;
  /** Envoy's RESPONSE_CODE_DETAILS, `via_upstream` for the upstream's own answer. */
  details: string;
  requestBytes: number;
  responseBytes: number;
  attempts: number;
  /** Cluster and endpoint of the last attempt; empty when none was chosen. */
  cluster: string;
  upstreamAddress: string;
  routeName: string;
  /** Service of the destination: host, short name, namespace (from the cluster's metadata, or the Host header). */
  destinationHost: string;
  destinationName: string;
  destinationNamespace: string;
  /** Istio's endpoint metadata `workload;namespace;canonical-name;canonical-revision;cluster`; empty when unknown (outbound only). */
  destinationWorkload: string;
  /** SPIFFE id of the other side; empty when unknown. */
  peerPrincipal: string;
  /** Inbound only: mutual TLS with both identities. */
  mutualTls: boolean;
  /** Empty on inbound calls where nothing reads it (InboundTelemetry.readsRequestId). */
  requestId: string;
  /** Value of x-envoy-peer-metadata of the other side, where it came (base64); empty otherwise. */
  peerMetadata: string;
  /** What only the access log prints; drivers fill it in where they know it at no cost. */
  logFields?: CallLogFields | undefined;
}

/** Fields of Envoy's default access-log line that no metric and no span needs. Absent ones print as `-`. */
export interface CallLogFields {
  /** `HTTP/1.1`, `HTTP/2`. */
  readonly httpVersion?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly forwardedFor?: string | undefined;
  /** `x-envoy-upstream-service-time` of the response, in ms. */
  readonly upstreamServiceTime?: string | undefined;
  readonly transportFailure?: string | undefined;
  readonly terminationDetails?: string | undefined;
  readonly upstreamLocalAddress?: string | undefined;
  readonly downstreamLocalAddress?: string | undefined;
  readonly downstreamRemoteAddress?: string | undefined;
  /** SNI. */
  readonly requestedServerName?: string | undefined;
}
