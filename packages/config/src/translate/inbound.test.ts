// What a server accepts: filter chains by mode, policies on every chain, EnvoyFilter patches in their place.
import { type FilterChain, HTTPFaultSchema, HttpConnectionManagerSchema, unpackAny } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { translatedMesh } from '../../../../test/support/config/translated-mesh.js';

const base = `
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: default}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp-db, port: 9000}]}
`;
const workload = { labels: { app: 'orders' }, addresses: [] };
const peer = (spec: string) => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: orders, namespace: default}
spec: ${spec}
`;
const deny = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: none, namespace: default}
spec: {}
`;
const patch = (operation: string, sub = '', name = 'envoy.filters.http.x', context = 'SIDECAR_INBOUND') => `
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: ${operation.toLowerCase().replaceAll('_', '-')}, namespace: default}
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    match: {context: ${context}, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager${sub === '' ? '' : `, subFilter: {name: ${sub}}`}}}}}
    patch: {operation: ${operation}, value: {name: ${name}, typed_config: {"@type": type.googleapis.com/x.y.Z, some_field: 1}}}
`;

function inbound(yaml: string): readonly FilterChain[] {
  const found = translatedMesh({ yaml, workload }).listeners.find(({ name }) => name === 'virtualInbound');
  return found?.message.filterChains ?? expect.fail('no virtualInbound');
}

function chainsOf(yaml: string, port: number) {
  return inbound(yaml)
    .filter((chain) => chain.filterChainMatch?.destinationPort === port)
    .map(
      (chain) =>
        `${chain.filterChainMatch?.transportProtocol ?? ''}${chain.transportSocket === undefined ? '' : '+mtls'}`,
    );
}

function filterNames(yaml: string): readonly string[] {
  const chain = inbound(yaml).find((candidate) => candidate.filterChainMatch?.destinationPort === 8080);
  const config = chain?.filters.at(-1)?.configType;
  const manager = unpackAny(HttpConnectionManagerSchema, config?.case === 'typedConfig' ? config.value : undefined);
  return manager?.httpFilters.map((filter) => filter.name) ?? [];
}

function faultFilter(yaml: string) {
  const chain = inbound(yaml).find((candidate) => candidate.filterChainMatch?.destinationPort === 8080);
  const config = chain?.filters.at(-1)?.configType;
  const manager = unpackAny(HttpConnectionManagerSchema, config?.case === 'typedConfig' ? config.value : undefined);
  const own = manager?.httpFilters.find((filter) => filter.name === 'envoy.filters.http.fault')?.configType;
  return unpackAny(HTTPFaultSchema, own?.case === 'typedConfig' ? own.value : undefined);
}

describe('filter chains', () => {
  it.each([
    ['STRICT', ['tls+mtls'], ['tls+mtls']],
    ['PERMISSIVE', ['tls+mtls', 'raw_buffer'], ['tls+mtls', 'tls', 'raw_buffer']],
    ['DISABLE', ['raw_buffer'], ['raw_buffer']],
  ])('%s', (mode, http, tcp) => {
    const yaml = base + peer(`{mtls: {mode: ${mode}}}`);
    expect(chainsOf(yaml, 8080)).toEqual(http);
    expect(chainsOf(yaml, 9000)).toEqual(tcp);
  });

  it('obey the mode of the port before that of the workload', () => {
    const yaml =
      base +
      peer('{selector: {matchLabels: {app: orders}}, mtls: {mode: STRICT}, portLevelMtls: {"8080": {mode: DISABLE}}}');
    expect(chainsOf(yaml, 8080)).toEqual(['raw_buffer']);
    expect(chainsOf(yaml, 9000)).toEqual(['tls+mtls']);
  });

  it('guard ports that no service declares by the same mode and policies', () => {
    const chains = inbound(base + peer('{mtls: {mode: STRICT}}') + deny).filter(
      (chain) => chain.name.startsWith('virtualInbound-catchall') || chain.name === 'virtualInbound',
    );
    expect(chains.length).toBe(2);
    for (const chain of chains) {
      expect(chain.transportSocket).toBeDefined();
      expect(
        JSON.stringify(
          chain.filters.map((filter) => filter.configType.value),
          (_key, value: unknown) =>
            value instanceof Uint8Array
              ? new TextDecoder().decode(value)
              : typeof value === 'bigint'
                ? String(value)
                : value,
        ),
      ).toContain('ns[default]-policy[none]-rule[0]');
    }
  });

  it('know their ports by address where the workload has one', () => {
    const pods = ['a', 'b'].map((name, index) => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: default, labels: {app: orders}}
spec: {containers: []}
status: {podIP: 127.0.1.${index}}
`).join(''); // prettier-ignore
    const found = translatedMesh({
      yaml: base + pods,
      workload: { labels: { app: 'other' }, addresses: ['127.0.9.9'] },
    });
    expect(found.clusters.map(({ name }) => name)).not.toContain('inbound|8080||');
    const own = translatedMesh({ yaml: base + pods, workload: { labels: {}, addresses: ['127.0.1.1'] } });
    expect(own.clusters.map(({ name }) => name)).toContain('inbound|8080||');
  });
});

describe('EnvoyFilter patches on HTTP filters', () => {
  const standard = ['envoy.filters.http.fault', 'envoy.filters.http.cors', 'envoy.filters.http.router'];
  const added = 'envoy.filters.http.x';

  it.each([
    ['INSERT_FIRST', '', [added, ...standard]],
    ['INSERT_BEFORE', '', [added, ...standard]],
    ['INSERT_BEFORE', 'envoy.filters.http.router', [...standard.slice(0, 2), added, standard[2]]],
    ['INSERT_AFTER', 'envoy.filters.http.fault', [standard[0], added, ...standard.slice(1)]],
    ['INSERT_BEFORE', 'envoy.filters.http.absent', standard],
    ['ADD', '', [...standard, added]],
    ['REMOVE', 'envoy.filters.http.fault', standard.slice(1)],
    ['REPLACE', 'envoy.filters.http.fault', [added, ...standard.slice(1)]],
  ])('%s at "%s"', (operation, sub, expected) => expect(filterNames(base + patch(operation, sub))).toEqual(expected));

  it('leave inbound filters alone when they are meant for outbound', () => {
    expect(filterNames(base + patch('INSERT_FIRST', '', added, 'SIDECAR_OUTBOUND'))).toEqual(standard);
  });

  it('are reported when they cannot be merged into the filter of that name', () => {
    const [finding] = translatedMesh({ yaml: base + patch('MERGE', 'envoy.filters.http.fault'), workload }).findings;
    expect(finding).toMatchObject({ code: 'HED0905', level: 'error', field: 'spec.configPatches[0].patch.value' });
    expect(finding?.message).toContain(
      'cannot be merged into type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
    );
  });

  it.each([
    ['MERGE', ['one', 'two']],
    ['MERGE_AND_REPLACE_LIST', ['two']],
  ])('%s treats lists by its name', (operation, upstreams) => {
    const fault = (cluster: string) =>
      `{"@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, downstream_nodes: [${cluster}]}`;
    const patched = (name: string, text: string) =>
      patch(name, 'envoy.filters.http.fault').replace('{"@type": type.googleapis.com/x.y.Z, some_field: 1}', text);
    const yaml =
      base + patched('MERGE', fault('one')) + patched(operation, fault('two')).replace('name: merge,', 'name: second,');
    expect(faultFilter(yaml)?.downstreamNodes).toEqual(upstreams);
  });
});
