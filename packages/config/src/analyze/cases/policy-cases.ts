// Cases of policies, workloads, services and EnvoyFilters.
import type { AnalysisCase } from './analysis-case.js';
import { reviews } from './analysis-case.js';

const object = (apiVersion: string, kind: string, spec: string, name = 'a') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}}\nspec:\n${spec.replace(/^(?=.)/gm, '  ')}\n---\n`;
const policy = (spec: string) => object('security.istio.io/v1', 'AuthorizationPolicy', spec);
const envoyFilter = (patch: string) =>
  object('networking.istio.io/v1alpha3', 'EnvoyFilter', `configPatches:\n- ${patch.replace(/\n/g, '\n  ')}`);
const tls = (block: string) =>
  object('networking.istio.io/v1', 'DestinationRule', `host: reviews\ntrafficPolicy:\n${block}`) + reviews;
const sidecar = (spec: string, name: string) => object('networking.istio.io/v1', 'Sidecar', spec, name);
const entry = (name: string, protocol: string, addresses = 'addresses: [10.0.0.1]') =>
  object(
    'networking.istio.io/v1',
    'ServiceEntry',
    `hosts: [db.example.com]\n${addresses}\nports: [{name: p, number: 3306, protocol: ${protocol}}]`,
    name,
  );

export const policyCases: readonly AnalysisCase[] = [
  {
    title: 'mTLS of a port without selector',
    yaml: object(
      'security.istio.io/v1',
      'PeerAuthentication',
      'mtls: {mode: STRICT}\nportLevelMtls:\n  8080: {mode: DISABLE}',
    ),
    finds: ['port-level-without-selector PeerAuthentication default/a 6'],
  },
  {
    title: 'principals and empty values',
    yaml: policy(`rules:
- from:
  - source: {principals: ["cluster.local/ns/prod/sa/gateway", "*/sa/gateway"]}
  - source: {principals: ["spiffe://cluster.local/ns/prod/sa/gateway"]}
  - source: {notPrincipals: [gateway]}
  to:
  - operation: {methods: [""]}`),
    finds: [
      'bad-principal AuthorizationPolicy default/a 8',
      'bad-principal AuthorizationPolicy default/a 9',
      'empty-match-value AuthorizationPolicy default/a 11',
    ],
    suggests: 'write `cluster.local/ns/prod/sa/gateway` without the scheme',
  },
  {
    title: 'a namespace that does not exist',
    yaml:
      policy('rules: [{from: [{source: {namespaces: [prd]}}]}]') +
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: prod}\n',
    finds: ['unknown-namespace AuthorizationPolicy default/a 5'],
    suggests: 'did you mean `prod`?',
  },
  {
    title: 'a selector that chooses nobody',
    yaml: policy('selector: {matchLabels: {app: nobody}}') + reviews,
    finds: ['no-matching-workload AuthorizationPolicy default/a 5'],
  },
  {
    title: 'a selector that chooses the pods of a Deployment',
    yaml:
      policy('selector: {matchLabels: {app: shop}}') +
      object('apps/v1', 'Deployment', 'template: {metadata: {labels: {app: shop}}}', 'shop'),
    finds: ['unread-kind Deployment default/shop 8'],
  },
  {
    title: 'TLS that trusts anybody',
    yaml: tls('  tls: {mode: SIMPLE}'),
    finds: ['no-server-verification DestinationRule default/a 7'],
  },
  {
    title: 'TLS of a port that trusts anybody',
    yaml: tls(
      '  portLevelSettings:\n  - port: {number: 9080}\n    tls: {mode: MUTUAL, clientCertificate: a, privateKey: b}',
    ),
    finds: ['no-server-verification-on-port DestinationRule default/a 9'],
  },
  {
    title: 'Sidecars that contend for a workload',
    yaml:
      sidecar('workloadSelector: {labels: {app: reviews}}', 'a') +
      sidecar('workloadSelector: {labels: {version: v1}}', 'b') +
      reviews,
    finds: ['conflicting-sidecars Sidecar default/a 5', 'conflicting-sidecars Sidecar default/b 11'],
  },
  {
    title: 'two Sidecars for a whole namespace',
    yaml: sidecar('egress: [{hosts: ["./*"]}]', 'a') + sidecar('egress: [{hosts: ["*/*"]}]', 'b'),
    finds: ['several-default-sidecars Sidecar default/a 1', 'several-default-sidecars Sidecar default/b 7'],
  },
  {
    title: 'an EnvoyFilter for gateways',
    yaml: envoyFilter(
      'applyTo: HTTP_FILTER\nmatch: {context: GATEWAY}\npatch: {operation: INSERT_FIRST, value: {name: x}}',
    ),
    finds: ['unsupported-patch EnvoyFilter default/a 7'],
  },
  {
    title: 'an EnvoyFilter that depends on the order',
    yaml: envoyFilter(
      'applyTo: HTTP_FILTER\nmatch: {proxy: {proxyVersion: 1.2}}\npatch: {operation: INSERT_BEFORE, value: {name: x}}',
    ).replace('1.2', '"1.2"'),
    finds: [
      'unsupported-field EnvoyFilter default/a 7',
      'relative-operation EnvoyFilter default/a 8',
      'relative-operation-with-version EnvoyFilter default/a 8',
    ],
  },
  {
    title: 'REPLACE of a cluster',
    yaml: envoyFilter('applyTo: CLUSTER\npatch: {operation: REPLACE}'),
    finds: ['unsupported-patch EnvoyFilter default/a 6', 'replace-needs-filter EnvoyFilter default/a 7'],
  },
  {
    title: 'ADD to a route',
    yaml: envoyFilter('applyTo: HTTP_ROUTE\npatch: {operation: ADD}'),
    finds: ['unsupported-patch EnvoyFilter default/a 6', 'add-ignored EnvoyFilter default/a 7'],
  },
  {
    title: 'REMOVE of a route',
    yaml: envoyFilter('applyTo: HTTP_ROUTE\npatch: {operation: REMOVE}'),
    finds: ['unsupported-patch EnvoyFilter default/a 6', 'remove-ignored EnvoyFilter default/a 7'],
  },
  {
    title: 'a port without protocol',
    yaml: object('v1', 'Service', 'ports: [{name: web, port: 80}]'),
    finds: ['port-name-convention Service default/a 5'],
  },
  {
    title: 'a port of an ExternalName service that catches all',
    yaml: object('v1', 'Service', 'type: ExternalName\nexternalName: db.example.com\nports: [{name: tcp, port: 3306}]'),
    finds: ['external-name-port Service default/a 7'],
  },
  {
    title: 'an appProtocol that the mesh does not know',
    yaml: object(
      'v1',
      'Service',
      'ports: [{name: web, port: 80, appProtocol: smtp}, {name: b, port: 81, appProtocol: example.com/own}]',
    ),
    finds: ['unknown-protocol Service default/a 5'],
  },
  {
    title: 'TCP without addresses',
    yaml: entry('a', 'TCP', 'resolution: DNS'),
    finds: ['addresses-required ServiceEntry default/a 7'],
  },
  {
    title: 'two protocols for one port',
    yaml: entry('a', 'HTTP') + entry('b', 'TLS'),
    finds: ['conflicting-protocol ServiceEntry default/a 7', 'conflicting-protocol ServiceEntry default/b 15'],
  },
];
