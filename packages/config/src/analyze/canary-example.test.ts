// A whole configuration as users paste it, in the older versions of the API: it has to pass as it is.
import { describe, expect, it } from 'vitest';
import { loadText } from '../load/load.js';
import { checkConfig } from './check.js';

const fault = `    fault:
      delay: {percentage: {value: 10}, fixedDelay: 500ms}
      abort: {percentage: {value: 5}, httpStatus: 503}
`;

const yaml = (extra = '') => `apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: payment-service
  namespace: production
spec:
  hosts:
  - payment-service
  http:
  - route:
    - destination: {host: payment-service, subset: v1}
      weight: 95
    - destination: {host: payment-service, subset: v2}
      weight: 5
    timeout: 10s
    retries:
      attempts: 2
      retryOn: 5xx,reset,connect-failure
${extra}---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: payment-service
  namespace: production
spec:
  host: payment-service
  trafficPolicy:
    connectionPool:
      tcp: {maxConnections: 100}
      http: {h2UpgradePolicy: DEFAULT, http1MaxPendingRequests: 100, http2MaxRequests: 1000}
    outlierDetection: {consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 50}
  subsets:
  - name: v1
    labels: {version: v1}
  - name: v2
    labels: {version: v2}
---
apiVersion: security.istio.io/v1beta1
kind: PeerAuthentication
metadata: {name: default, namespace: production}
spec:
  mtls: {mode: STRICT}
---
apiVersion: security.istio.io/v1beta1
kind: AuthorizationPolicy
metadata: {name: payment-service, namespace: production}
spec:
  selector: {matchLabels: {app: payment-service}}
  action: ALLOW
  rules:
  - from:
    - source: {principals: [cluster.local/ns/production/sa/api-gateway]}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: payment-service-rate-limit, namespace: production}
spec:
  workloadSelector: {labels: {app: payment-service}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener:
        filterChain:
          filter: {name: envoy.filters.network.http_connection_manager}
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
---
apiVersion: v1
kind: Service
metadata: {name: payment-service, namespace: production}
spec:
  selector: {app: payment-service}
  ports: [{name: http, port: 8080}]
`;

describe('the canary example', () => {
  it.each([
    ['as it is', yaml()],
    ['with faults', yaml(fault)],
  ])('passes %s', (_, text) => {
    const loaded = loadText(text);
    expect(loaded.objects.map(({ kind, version }) => `${kind} ${version}`)).toEqual([
      'VirtualService v1beta1',
      'DestinationRule v1beta1',
      'PeerAuthentication v1beta1',
      'AuthorizationPolicy v1beta1',
      'EnvoyFilter v1alpha3',
      'Service v1',
    ]);
    expect(checkConfig(loaded).filter(({ level }) => level !== 'info')).toEqual([]);
  });
});
