// Cases of what an object asks for and translation does not do.
import type { AnalysisCase } from './analysis-case.js';
import { reviews } from './analysis-case.js';

const object = (apiVersion: string, kind: string, spec: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\nspec:\n${spec.replace(/^(?=.)/gm, '  ')}\n---\n`;
const networking = (kind: string, spec: string) => object('networking.istio.io/v1', kind, spec);
const security = (kind: string, spec: string) => object('security.istio.io/v1', kind, spec);
const gatewayApi = (kind: string, spec: string, version = 'v1') =>
  object(`gateway.networking.k8s.io/${version}`, kind, spec);
const rule = (policy: string) => networking('DestinationRule', `host: reviews\ntrafficPolicy:\n${policy}`) + reviews;
const filter = (value: string, operation = 'INSERT_FIRST') =>
  object(
    'networking.istio.io/v1alpha3',
    'EnvoyFilter',
    `configPatches:\n- applyTo: HTTP_FILTER\n  patch: {operation: ${operation}, value: ${value}}`,
  );
const rateLimit = 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit';

export const supportCases: readonly AnalysisCase[] = [
  {
    title: 'listeners of a Sidecar',
    yaml: networking(
      'Sidecar',
      `egress:\n- port: {number: 80, protocol: HTTP, name: http}\n  bind: 127.0.0.1\n  hosts: ["*/*"]\n` +
        `ingress:\n- port: {number: 80, protocol: HTTP, name: http}\n  defaultEndpoint: 127.0.0.1:8080`,
    ),
    finds: [
      'unsupported-field Sidecar default/a 6',
      'unsupported-field Sidecar default/a 7',
      'unsupported-field Sidecar default/a 9',
    ],
  },
  {
    title: 'a DestinationRule that wants a PROXY header, a tunnel and failover by labels',
    yaml: rule(
      `  proxyProtocol: {version: V1}\n  tunnel: {targetHost: x.example, targetPort: 443}\n` +
        `  loadBalancer:\n    localityLbSetting:\n      failoverPriority: [topology.istio.io/network]`,
    ),
    finds: [
      'unsupported-field DestinationRule default/a 7',
      'unsupported-field DestinationRule default/a 8',
      'unsupported-field DestinationRule default/a 11',
    ],
  },
  {
    title: 'certificates from a secret, for one port of a subset',
    yaml:
      networking(
        'DestinationRule',
        `host: reviews\nsubsets:\n- name: v1\n  labels: {version: v1}\n  trafficPolicy:\n    portLevelSettings:\n` +
          `    - port: {number: 9080}\n      tls:\n        mode: SIMPLE\n        credentialName: certs`,
      ) + reviews,
    finds: [
      'no-server-verification-on-port DestinationRule default/a 12',
      'unsupported-field DestinationRule default/a 14',
    ],
  },
  {
    title: 'a delegate, a fault by HTTP/2 error and a rule for a subnet',
    yaml:
      networking(
        'VirtualService',
        `hosts: [reviews]\nhttp:\n- match: [{uri: {prefix: /d}}]\n  delegate: {name: other}\n` +
          `- fault:\n    abort:\n      http2Error: REFUSED_STREAM\n      percentage: {value: 1}\n  route: [{destination: {host: reviews}}]\n` +
          `tcp:\n- match: [{destinationSubnets: [10.0.0.0/8]}]\n  route: [{destination: {host: reviews}}]`,
      ) + reviews,
    finds: [
      'unsupported-field VirtualService default/a 8',
      'unsupported-field VirtualService default/a 11',
      'unsupported-field VirtualService default/a 15',
    ],
  },
  {
    title: 'a ServiceEntry with a range of addresses and an endpoint in another network',
    yaml: networking(
      'ServiceEntry',
      `hosts: [db.example.com]\naddresses: [10.0.0.0/24]\nports: [{name: http, number: 80, protocol: HTTP}]\n` +
        `resolution: STATIC\nendpoints:\n- address: 10.1.1.1\n  network: other`,
    ),
    finds: ['unsupported-field ServiceEntry default/a 6', 'unsupported-field ServiceEntry default/a 11'],
  },
  {
    title: 'filters of an HTTPRoute that are not translated, and retries of the experimental channel',
    yaml:
      gatewayApi(
        'HTTPRoute',
        `parentRefs: [{group: "", kind: Service, name: reviews}]\nrules:\n- filters:\n  - type: CORS\n    cors: {allowOrigins: ["*"]}\n` +
          `  retry: {attempts: 3}\n  backendRefs: [{name: reviews, port: 9080}]`,
      ) + reviews,
    finds: ['unsupported-field HTTPRoute default/a 9', 'experimental-field HTTPRoute default/a 10'],
  },
  {
    title: 'kinds that are not translated yet',
    yaml:
      object('telemetry.istio.io/v1', 'Telemetry', 'accessLogging: [{disabled: true}]') +
      gatewayApi('GRPCRoute', 'rules: []') +
      object('extensions.istio.io/v1alpha1', 'WasmPlugin', 'url: oci://x.example/a'),
    finds: [
      'unsupported-kind Telemetry default/a 2',
      'unsupported-kind GRPCRoute default/a 8',
      'unsupported-kind WasmPlugin default/a 14',
    ],
  },
  {
    title: 'kinds for which a service has no use',
    yaml: gatewayApi('ReferenceGrant', 'from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: b}]\nto: [{group: "", kind: Service}]', 'v1beta1'), // prettier-ignore
    finds: ['not-for-services ReferenceGrant default/a 2'],
  },
  {
    title: 'tokens that nobody verifies',
    yaml: security(
      'RequestAuthentication',
      'jwtRules:\n- issuer: https://issuer.example\n  jwksUri: https://issuer.example/keys',
    ),
    finds: ['tokens-not-verified RequestAuthentication default/a 5'],
  },
  {
    title: 'an external authorizer',
    yaml: security('AuthorizationPolicy', 'action: CUSTOM\nprovider: {name: authz}\nrules: [{}]'),
    finds: ['custom-authorization-denied AuthorizationPolicy default/a 5'],
  },
  {
    title: 'a rule by an attribute that does not exist',
    yaml: security('AuthorizationPolicy', 'rules:\n- when: [{key: source.colour, values: [red]}]'),
    finds: ['authorization-rule-dropped AuthorizationPolicy default/a 6'],
  },
  {
    title: 'rules by addresses and ports that are none',
    yaml: security(
      'AuthorizationPolicy',
      'action: ALLOW\nrules:\n- from: [{source: {ipBlocks: [10.0.0.300]}}]\n- to: [{operation: {ports: [http]}}]',
    ),
    finds: [
      'authorization-rule-dropped AuthorizationPolicy default/a 7',
      'authorization-rule-dropped AuthorizationPolicy default/a 8',
    ],
  },
  {
    title: 'a policy for a waypoint',
    yaml: security('AuthorizationPolicy', 'targetRefs: [{kind: Service, group: "", name: reviews}]\nrules: [{}]'),
    finds: ['unsupported-field AuthorizationPolicy default/a 5'],
  },
  {
    title: 'a filter whose settings do not exist',
    yaml: filter(`{name: x, typed_config: {"@type": ${rateLimit}, no_such_field: 1}}`),
    finds: ['invalid-envoy-filter-patch EnvoyFilter default/a 7'],
  },
  {
    title: 'a patch without operation',
    yaml: filter('{name: x}', 'INVALID'),
    finds: ['unsupported-patch EnvoyFilter default/a 7'],
  },
];
