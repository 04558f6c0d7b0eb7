// A whole policy set for one service, as people write it: split, timeout, retries, pool, ejection, STRICT, one allowed caller,
// a local rate limit from an EnvoyFilter.
import {
  HTTPFaultSchema,
  HttpConnectionManagerSchema,
  HttpRbacSchema,
  type Listener,
  LocalRateLimitSchema,
  effectiveTypeUrl,
  LOCAL_RATE_LIMIT_TYPE_URL,
  unpackAny,
} from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { clusterNamed, endpointsOf, simulateCall } from '../../../../test/support/config/simulated-call.js';
import { translatedMesh } from '../../../../test/support/config/translated-mesh.js';

const pod = (version: string, ip: string) => `
---
apiVersion: v1
kind: Pod
metadata: {name: payment-service-${version}, namespace: production, labels: {app: payment-service, version: ${version}}}
spec: {serviceAccountName: payment-service, containers: [{name: app, image: app, ports: [{containerPort: 8080}]}]}
status: {podIP: ${ip}, phase: Running}
`;
const fault = `
    fault:
      delay: {percentage: {value: 10}, fixedDelay: 500ms}
      abort: {percentage: {value: 5}, httpStatus: 503}`;
const mesh = (extra = '') => `
apiVersion: v1
kind: Service
metadata: {name: payment-service, namespace: production}
spec: {selector: {app: payment-service}, ports: [{name: http, port: 80, targetPort: 8080}]}
${pod('v1', '127.0.0.2')}${pod('v2', '127.0.0.3')}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: payment-service, namespace: production}
spec:
  hosts: [payment-service]
  http:
  - route:
    - destination: {host: payment-service, subset: v1}
      weight: 95
    - destination: {host: payment-service, subset: v2}
      weight: 5
    timeout: 10s
    retries: {attempts: 2, retryOn: "5xx,reset,connect-failure"}${extra}
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: payment-service, namespace: production}
spec:
  host: payment-service
  trafficPolicy:
    connectionPool:
      tcp: {maxConnections: 100}
      http: {h2UpgradePolicy: DEFAULT, http1MaxPendingRequests: 100, http2MaxRequests: 1000}
    outlierDetection: {consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 50}
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: security.istio.io/v1beta1
kind: PeerAuthentication
metadata: {name: default, namespace: production}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1beta1
kind: AuthorizationPolicy
metadata: {name: payment-service, namespace: production}
spec:
  selector: {matchLabels: {app: payment-service}}
  action: ALLOW
  rules:
  - from: [{source: {principals: ["cluster.local/ns/production/sa/api-gateway"]}}]
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: rate-limit, namespace: production}
spec:
  workloadSelector: {labels: {app: payment-service}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.local_ratelimit
        typed_config:
          "@type": type.googleapis.com/udpa.type.v1.TypedStruct
          type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
          value:
            stat_prefix: http_local_rate_limiter
            token_bucket: {max_tokens: 100, tokens_per_fill: 100, fill_interval: 60s}
            filter_enabled: {default_value: {numerator: 100, denominator: HUNDRED}}
            filter_enforced: {default_value: {numerator: 100, denominator: HUNDRED}}
`;
const caller = { namespace: 'production', labels: { app: 'api-gateway' }, serviceAccount: 'api-gateway' };
const server = { namespace: 'production', labels: { app: 'payment-service', version: 'v1' }, addresses: ['127.0.0.2'] };
const host = 'payment-service.production.svc.cluster.local';
const pay = { url: 'http://payment-service/pay' };

describe('the payment service seen by a caller', () => {
  const resources = translatedMesh({ yaml: mesh(), workload: caller });

  it('splits 95 to 5 with the timeout and the retries of the rule', () => {
    const { clusters, route } = simulateCall(resources, pay);
    expect(clusters).toEqual({ [`outbound|80|v1|${host}`]: 95, [`outbound|80|v2|${host}`]: 5 });
    const action = route.action.case === 'route' ? route.action.value : expect.fail('no route action');
    expect(action.timeout?.seconds).toBe(10n);
    expect(action.retryPolicy).toMatchObject({ numRetries: 2, retryOn: '5xx,reset,connect-failure' });
  });

  it('limits connections and ejects after five failures', () => {
    const cluster = clusterNamed(resources, `outbound|80|v1|${host}`);
    expect(cluster.circuitBreakers?.thresholds[0]).toMatchObject({
      maxConnections: 100,
      maxPendingRequests: 100,
      maxRequests: 1000,
    });
    expect(cluster.outlierDetection).toMatchObject({
      consecutive5xx: 5,
      enforcingConsecutive5xx: 100,
      maxEjectionPercent: 50,
    });
    expect(cluster.outlierDetection?.baseEjectionTime?.seconds).toBe(30n);
    expect(cluster.outlierDetection?.interval?.seconds).toBe(10n);
  });

  it('finds each version by its label and speaks mutual TLS, since the namespace is STRICT', () => {
    expect(endpointsOf(resources, `outbound|80|v1|${host}`)).toEqual(['127.0.0.2:8080']);
    expect(endpointsOf(resources, `outbound|80|v2|${host}`)).toEqual(['127.0.0.3:8080']);
    const [group] = resources.endpoints.find(({ name }) => name === `outbound|80|v1|${host}`)?.message.endpoints ?? [];
    expect(group?.lbEndpoints[0]?.metadata?.filterMetadata['envoy.transport_socket_match']).toEqual({
      tlsMode: 'istio',
    });
  });

  it('says in which file and line a route was written', () => {
    const routes = resources.routes.find(({ name }) => name === '80');
    const origin = routes?.details.get(`${host}:80/0`);
    expect(origin).toMatchObject({ object: 'VirtualService production/payment-service', file: 'mesh.yaml' });
    expect(mesh().split('\n')[(origin?.line ?? 0) - 1]).toContain('- route:');
  });

  it('injects the faults of the fault block', () => {
    const { route } = simulateCall(translatedMesh({ yaml: mesh(fault), workload: caller }), pay);
    const injected = unpackAny(HTTPFaultSchema, route.typedPerFilterConfig['envoy.filters.http.fault']);
    expect(injected?.delay?.percentage).toMatchObject({ numerator: 100_000, denominator: 2 });
    expect(injected?.delay?.faultDelaySecifier.value).toMatchObject({ seconds: 0n, nanos: 500_000_000 });
    expect(injected?.abort?.errorType).toEqual({ case: 'httpStatus', value: 503 });
    expect(injected?.abort?.percentage?.numerator).toBe(50_000);
  });
});

describe('the payment service seen by itself', () => {
  const resources = translatedMesh({ yaml: mesh(), workload: server });
  const inbound = resources.listeners.find(({ name }) => name === 'virtualInbound')?.message;

  it('accepts nothing but mutual TLS on its port, and on every other one', () => {
    const chains = (inbound?.filterChains ?? []).filter((chain) => chain.name !== 'virtualInbound-blackhole');
    expect(chains.map((chain) => chain.filterChainMatch?.transportProtocol)).toEqual(chains.map(() => 'tls'));
    expect(chains.every((chain) => chain.transportSocket !== undefined)).toBe(true);
  });

  it('limits first, then lets only the gateway in', () => {
    const [limit, rbac] = httpFiltersOf(inbound, 8080);
    expect(limit?.name).toBe('envoy.filters.http.local_ratelimit');
    const config = limit?.configType.case === 'typedConfig' ? limit.configType.value : expect.fail('no configuration');
    expect(effectiveTypeUrl(config)).toBe(LOCAL_RATE_LIMIT_TYPE_URL);
    expect(unpackAny(LocalRateLimitSchema, config)?.tokenBucket).toMatchObject({ maxTokens: 100, tokensPerFill: 100 });
    const rules = unpackAny(
      HttpRbacSchema,
      rbac?.configType.case === 'typedConfig' ? rbac.configType.value : undefined,
    )?.rules;
    expect(rules?.action).toBe(0);
    expect(JSON.stringify(rules)).toContain('spiffe://cluster.local/ns/production/sa/api-gateway');
    expect(resources.findings).toEqual([]);
  });
});

function httpFiltersOf(listener: Listener | undefined, port: number) {
  const chain = listener?.filterChains.find((candidate) => candidate.filterChainMatch?.destinationPort === port);
  const filter = chain?.filters.at(-1)?.configType;
  return (
    unpackAny(HttpConnectionManagerSchema, filter?.case === 'typedConfig' ? filter.value : undefined)?.httpFilters ?? []
  );
}
