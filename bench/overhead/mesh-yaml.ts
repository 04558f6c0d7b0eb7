// The configuration of the overhead benchmark: one service of ten endpoints with everything on, in plain text and behind mutual TLS.

export const ENDPOINTS = 10;
export const NAMESPACES = ['plain', 'secure'] as const;
export type Namespace = (typeof NAMESPACES)[number];

/** Loopback address of an endpoint; servers of both namespaces listen on the same ones, each on a port of its own. */
export const endpointAddress = (index: number): string => `127.0.1.${index + 1}`;

export function overheadYaml(ports: Readonly<Record<Namespace, number>>): string {
  const documents = NAMESPACES.flatMap((namespace) => [
    service(namespace, ports[namespace]),
    ...Array.from({ length: ENDPOINTS }, (_, index) => pod(namespace, index)),
    routes(namespace),
    destination(namespace),
    authorization(namespace),
    rateLimit(namespace),
  ]);
  return [...documents, strict].join('---\n');
}

const service = (namespace: string, port: number): string => `
apiVersion: v1
kind: Service
metadata: { name: backend, namespace: ${namespace} }
spec:
  selector: { app: backend }
  ports: [{ name: http, port: 80, targetPort: ${port} }]
`;

const pod = (namespace: string, index: number): string => `
apiVersion: v1
kind: Pod
metadata: { name: backend-${index}, namespace: ${namespace}, labels: { app: backend, version: v${(index % 3) + 1} } }
spec: { serviceAccountName: backend }
status: { podIP: ${endpointAddress(index)} }
`;

/** Twenty routes, the last of which takes the benchmark's path; three weighted subsets, timeout and retries. */
function routes(namespace: string): string {
  const others = Array.from(
    { length: 19 },
    (_, index) => `
    - match: [{ uri: { prefix: /api/v1/resource-${index}/ } }]
      route: [{ destination: { host: backend, subset: v1 } }]`,
  );
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: backend, namespace: ${namespace} }
spec:
  hosts: [backend]
  http:${others.join('')}
    - match: [{ uri: { prefix: /reviews/ } }]
      timeout: 10s
      retries: { attempts: 2, perTryTimeout: 2s, retryOn: '5xx,reset,connect-failure' }
      route:
        - { destination: { host: backend, subset: v1 }, weight: 60 }
        - { destination: { host: backend, subset: v2 }, weight: 30 }
        - { destination: { host: backend, subset: v3 }, weight: 10 }
`;
}

const destination = (namespace: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: backend, namespace: ${namespace} }
spec:
  host: backend
  trafficPolicy:
    loadBalancer: { simple: LEAST_REQUEST }
    connectionPool: { tcp: { maxConnections: 128 }, http: { http1MaxPendingRequests: 128, http2MaxRequests: 1000 } }
    outlierDetection: { consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 50 }
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
    - { name: v3, labels: { version: v3 } }
`;

/** Twenty rules; rule 18 lets the benchmark's requests in. */
function authorization(namespace: string): string {
  const rule = (index: number): string =>
    index === 17
      ? `
    - to: [{ operation: { methods: ['GET'], paths: ['/reviews/*'] } }]`
      : `
    - to: [{ operation: { methods: ['POST'], paths: ['/admin/${index}/*'] } }]
      from: [{ source: { principals: ['cluster.local/ns/other/sa/caller-${index}'] } }]`;
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: backend, namespace: ${namespace} }
spec:
  selector: { matchLabels: { app: backend } }
  action: ALLOW
  rules:${Array.from({ length: 20 }, (_, index) => rule(index)).join('')}
`;
}

/** A bucket that no load of the benchmark empties. */
const rateLimit = (namespace: string): string => `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: backend, namespace: ${namespace} }
spec:
  workloadSelector: { labels: { app: backend } }
  configPatches:
    - applyTo: HTTP_FILTER
      match:
        context: SIDECAR_INBOUND
        listener: { filterChain: { filter: { name: envoy.filters.network.http_connection_manager } } }
      patch:
        operation: INSERT_BEFORE
        value:
          name: envoy.filters.http.local_ratelimit
          typed_config:
            '@type': type.googleapis.com/udpa.type.v1.TypedStruct
            type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
            value:
              stat_prefix: http_local_rate_limiter
              token_bucket: { max_tokens: 100000000, tokens_per_fill: 100000000, fill_interval: 1s }
              filter_enabled: { default_value: { numerator: 100, denominator: HUNDRED } }
              filter_enforced: { default_value: { numerator: 100, denominator: HUNDRED } }
`;

const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: secure }
spec: { mtls: { mode: STRICT } }
`;
