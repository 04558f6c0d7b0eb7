// What a caller meets: names, scopes, rules of the right namespace, TLS modes, domains.
import { Cluster_DiscoveryType, Cluster_LbPolicy, UpstreamTlsContextSchema, unpackAny } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { clusterNamed, endpointsOf, simulateCall } from '../../../../test/support/config/simulated-call.js';
import { translatedMesh } from '../../../../test/support/config/translated-mesh.js';

const service = (name: string, namespace: string, ports = '[{name: http, port: 80}]', extra = '') => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {app: ${name}}, ports: ${ports}${extra}}
`;
const pod = (name: string, ip: string, labels: string, namespace = 'default', sa = 'default') => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, labels: {${labels}}}
spec: {serviceAccountName: ${sa}, containers: []}
status: {podIP: ${ip}}
`;
const object = (kind: string, name: string, namespace: string, spec: string, group = 'networking') => `
---
apiVersion: ${group}.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}
`;

describe('names of services', () => {
  const yaml = service('orders', 'default') + service('orders', 'shop');

  it('means the own namespace by a short name', () => {
    const own = translatedMesh({ yaml, workload: { namespace: 'shop' } });
    expect(simulateCall(own, { url: 'http://orders/' }).virtualHost).toBe('orders.shop.svc.cluster.local:80');
    expect(simulateCall(own, { url: 'http://orders.default/' }).virtualHost).toBe(
      'orders.default.svc.cluster.local:80',
    );
    expect(simulateCall(own, { url: 'http://orders.shop.svc.cluster.local/' }).virtualHost).toBe(
      'orders.shop.svc.cluster.local:80',
    );
  });

  it('sends unknown hosts on, unless a Sidecar says REGISTRY_ONLY', () => {
    const unknown = { url: 'http://nobody.example/' };
    expect(simulateCall(translatedMesh({ yaml }), unknown).clusters).toEqual({ PassthroughCluster: 1 });
    const closed = yaml + object('Sidecar', 'default', 'default', '{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}');
    const { route } = simulateCall(translatedMesh({ yaml: closed }), unknown);
    expect(route.action).toMatchObject({ case: 'directResponse', value: { status: 502 } });
  });

  it('hides what a Sidecar does not import and what is not exported', () => {
    const scoped = yaml + object('Sidecar', 'default', 'default', '{egress: [{hosts: ["./*"]}]}');
    const names = translatedMesh({ yaml: scoped }).clusters.map((cluster) => cluster.name);
    expect(names).toContain('outbound|80||orders.default.svc.cluster.local');
    expect(names).not.toContain('outbound|80||orders.shop.svc.cluster.local');
  });
});

describe('destination rules', () => {
  const rule = (name: string, namespace: string, simple: string, host = 'orders.default.svc.cluster.local') =>
    object('DestinationRule', name, namespace, `{host: ${host}, trafficPolicy: {loadBalancer: {simple: ${simple}}}}`);
  const policy = (yaml: string, namespace: string) =>
    clusterNamed(translatedMesh({ yaml, workload: { namespace } }), 'outbound|80||orders.default.svc.cluster.local')
      .lbPolicy;
  const base = service('orders', 'default');

  it('takes the caller namespace first, then the service namespace, then the root namespace', () => {
    const root = base + rule('r', 'istio-system', 'RANDOM');
    expect(policy(root, 'shop')).toBe(Cluster_LbPolicy.RANDOM);
    const owner = root + rule('o', 'default', 'ROUND_ROBIN');
    expect(policy(owner, 'shop')).toBe(Cluster_LbPolicy.ROUND_ROBIN);
    const caller = owner + rule('c', 'shop', 'LEAST_REQUEST');
    expect(policy(caller, 'shop')).toBe(Cluster_LbPolicy.LEAST_REQUEST);
    expect(policy(caller, 'default')).toBe(Cluster_LbPolicy.ROUND_ROBIN);
  });

  it('prefers the exact host to a wildcard', () => {
    const yaml =
      base + rule('all', 'default', 'RANDOM', '"*.default.svc.cluster.local"') + rule('one', 'default', 'ROUND_ROBIN');
    expect(policy(yaml, 'default')).toBe(Cluster_LbPolicy.ROUND_ROBIN);
  });

  it('merges the subsets of two rules for one host', () => {
    const part = (name: string) =>
      object(
        'DestinationRule',
        name,
        'default',
        `{host: orders, subsets: [{name: ${name}, labels: {version: ${name}}}]}`,
      );
    const names = translatedMesh({ yaml: base + part('v1') + part('v2') }).clusters.map((cluster) => cluster.name);
    expect(names).toEqual(
      expect.arrayContaining(['v1', 'v2'].map((name) => `outbound|80|${name}|orders.default.svc.cluster.local`)),
    );
  });
});

describe('the TLS mode of endpoints', () => {
  const cluster = 'outbound|80||orders.default.svc.cluster.local';
  const modeOf = (labels: string, policies: string) => {
    const yaml = service('orders', 'default') + pod('orders-1', '127.0.0.5', labels) + policies;
    const [group] = translatedMesh({ yaml }).endpoints.find(({ name }) => name === cluster)?.message.endpoints ?? [];
    return group?.lbEndpoints[0]?.metadata?.filterMetadata['envoy.transport_socket_match']?.['tlsMode'] ?? 'plain';
  };
  const peer = (spec: string) => object('PeerAuthentication', 'default', 'default', spec, 'security');
  const strict = peer('{mtls: {mode: STRICT}}');

  it.each([
    ['nothing said', 'app: orders', '', 'plain'],
    ['STRICT', 'app: orders', strict, 'istio'],
    ['PERMISSIVE', 'app: orders', peer('{mtls: {mode: PERMISSIVE}}'), 'plain'],
    ['label istio', 'app: orders, security.istio.io/tlsMode: istio', '', 'istio'],
    ['label istio, policy DISABLE', 'app: orders, security.istio.io/tlsMode: istio', peer('{mtls: {mode: DISABLE}}'), 'plain'],
    ['label disabled under STRICT', 'app: orders, security.istio.io/tlsMode: disabled', strict, 'plain'],
    ['not injected under STRICT', 'app: orders, sidecar.istio.io/inject: "false"', strict, 'plain'],
    ['STRICT but not on this port', 'app: orders', peer('{selector: {matchLabels: {app: orders}}, mtls: {mode: STRICT}, portLevelMtls: {"80": {mode: DISABLE}}}'), 'plain'],
  ])('%s', (_name, labels, policies, expected) => expect(modeOf(labels, policies)).toBe(expected)); // prettier-ignore
});

describe('endpoints', () => {
  const slice = `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-a, namespace: default, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints:
- {addresses: [127.0.0.7], conditions: {ready: true}}
- {addresses: [127.0.0.8], conditions: {ready: false}}
`;
  const cluster = 'outbound|80||orders.default.svc.cluster.local';

  it('come from the slices of a Service, ready ones only, and not from Pods beside them', () => {
    const yaml = service('orders', 'default') + slice + pod('orders-1', '127.0.0.5', 'app: orders');
    expect(endpointsOf(translatedMesh({ yaml }), cluster)).toEqual(['127.0.0.7:8080']);
  });

  it('come from the Pods that a Service selects when it has no slice', () => {
    const yaml =
      service('orders', 'default') +
      pod('orders-1', '127.0.0.5', 'app: orders') +
      pod('other', '127.0.0.6', 'app: other');
    expect(endpointsOf(translatedMesh({ yaml }), cluster)).toEqual(['127.0.0.5:80']);
  });

  it('include WorkloadEntries that a Service selects, at their own port', () => {
    const entry = object(
      'WorkloadEntry',
      'vm',
      'default',
      '{address: 127.0.0.9, labels: {app: orders}, ports: {http: 9000}}',
    );
    expect(endpointsOf(translatedMesh({ yaml: service('orders', 'default') + entry }), cluster)).toEqual([
      '127.0.0.9:9000',
    ]);
  });

  it('of a DNS entry are its own host name', () => {
    const entry = object(
      'ServiceEntry',
      'api',
      'default',
      '{hosts: [api.example], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}',
    );
    const resources = translatedMesh({ yaml: entry });
    expect(clusterNamed(resources, 'outbound|80||api.example').clusterDiscoveryType.value).toBe(
      Cluster_DiscoveryType.STRICT_DNS,
    );
    expect(endpointsOf(resources, 'outbound|80||api.example')).toEqual(['api.example:80']);
  });
});

describe('TLS that a DestinationRule originates', () => {
  const entry = (extra: string) =>
    object('ServiceEntry', 'db', 'default', `{hosts: [db.example], ports: [{name: https, number: 443, protocol: HTTPS}], resolution: DNS${extra}}`); // prettier-ignore
  const rule = (tls: string) =>
    object('DestinationRule', 'db', 'default', `{host: db.example, trafficPolicy: {tls: {mode: SIMPLE${tls}}}}`);
  const db = (yaml: string) => clusterNamed(translatedMesh({ yaml }), 'outbound|443||db.example');
  const names = (yaml: string) => {
    const config = db(yaml).transportSocket?.configType;
    const context = unpackAny(UpstreamTlsContextSchema, config?.case === 'typedConfig' ? config.value : undefined);
    const validation = context?.commonTlsContext?.validationContextType;
    if (validation?.case !== 'combinedValidationContext') return undefined;
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- istiod writes it
    return validation.value.defaultValidationContext?.matchSubjectAltNames.map(
      ({ matchPattern }) => matchPattern.value,
    );
  };

  it('accepts the names of the rule, else those of the ServiceEntry', () => {
    expect(names(entry(', subjectAltNames: [db.internal]') + rule(''))).toEqual(['db.internal']);
    expect(names(entry(', subjectAltNames: [db.internal]') + rule(', subjectAltNames: [own]'))).toEqual(['own']);
    expect(names(entry('') + rule(''))).toEqual([]);
  });

  it('connects to nobody while a revocation list is asked for that is not read', () => {
    const cluster = db(entry('') + rule(', caCertificates: /ca.pem, caCrl: /crl.pem'));
    expect(cluster.transportSocket).toBeUndefined();
    expect(cluster.clusterDiscoveryType.value).toBe(Cluster_DiscoveryType.STATIC);
    expect(cluster.loadAssignment?.endpoints ?? []).toEqual([]);
  });
});

describe('virtual services', () => {
  const base = service('orders', 'default') + service('next', 'default');
  const vs = (http: string) => object('VirtualService', 'orders', 'default', `{hosts: [orders], http: ${http}}`);
  const call = (http: string, path: string, workload = {}, headers = {}) =>
    simulateCall(translatedMesh({ yaml: base + vs(http), workload }), { url: `http://orders${path}`, headers })
      .clusters;
  const toNext = 'route: [{destination: {host: next}}]';
  const toOrders = '{route: [{destination: {host: orders}}]}';
  const next = { 'outbound|80||next.default.svc.cluster.local': 1 };
  const orders = { 'outbound|80||orders.default.svc.cluster.local': 1 };

  it('route only the callers that sourceLabels and sourceNamespace name', () => {
    const http = `[{match: [{sourceLabels: {app: web}}], ${toNext}}, ${toOrders}]`;
    expect(call(http, '/', { labels: { app: 'web' } })).toEqual(next);
    expect(call(http, '/', { labels: { app: 'batch' } })).toEqual(orders);
  });

  it('take a request without a header that withoutHeaders forbids', () => {
    const http = `[{match: [{withoutHeaders: {x-old: {exact: "1"}}}], ${toNext}}, ${toOrders}]`;
    expect(call(http, '/')).toEqual(next);
    expect(call(http, '/', {}, { 'x-old': '1' })).toEqual(orders);
  });

  it('keep to their own port', () => {
    expect(call(`[{match: [{port: 8080}], ${toNext}}, ${toOrders}]`, '/')).toEqual(orders);
  });

  it('leave out a rule that delegates, so that the next one answers', () => {
    expect(call(`[{match: [{uri: {prefix: /d}}], delegate: {name: other}}, ${toOrders}]`, '/d')).toEqual(orders);
  });

  it.each(['mirrorPercent: 0', 'mirror_percent: 0', 'mirrorPercentage: {value: 0}'])(
    'mirror nothing at %s',
    (share) => {
      const mirrors = (percent: string) => {
        const yaml = base + vs(`[{${toNext}, mirror: {host: orders}${percent}}]`);
        const { action } = simulateCall(translatedMesh({ yaml }), { url: 'http://orders/' }).route;
        return action.case === 'route' ? action.value.requestMirrorPolicies.length : undefined;
      };
      expect([mirrors(''), mirrors(`, ${share}`)]).toEqual([1, 0]);
    },
  );

  it('serve hosts that are no service on port 80', () => {
    const yaml =
      base +
      object(
        'VirtualService',
        'ext',
        'default',
        '{hosts: [shop.example], http: [{route: [{destination: {host: next}}]}]}',
      );
    expect(simulateCall(translatedMesh({ yaml }), { url: 'http://shop.example/' }).clusters).toEqual(next);
  });
});
