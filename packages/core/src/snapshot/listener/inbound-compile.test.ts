import {
  AnySchema,
  DownstreamTlsContextSchema,
  HttpConnectionManagerSchema,
  HttpRbacSchema,
  LISTENER_TYPE_URL,
  type Listener,
  ListenerSchema,
  NetworkRbacSchema,
  RBAC_TYPE_URL,
  type JsonValue,
  type RawResource,
  TcpProxySchema,
  create,
  fromJson,
  packAny,
  toBinary,
} from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { httpFilterKinds, networkFilterKinds } from '../../filters/registry.js';
import type { ConnectionFacts } from '../inbound-snapshot.js';
import { viewOf } from '../../testing/test-view.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { buildSnapshot } from '../build-snapshot.js';
import { createInspector } from '../resource/resource-inspector.js';

const deps = {
  filterKinds: httpFilterKinds,
  networkFilterKinds,
  filterState: { stateFor: <S>(_: string, make: () => S) => make() },
  clock: new VirtualClock(),
};
const ROUTES: JsonValue = {
  name: 'inbound|9080||',
  virtual_hosts: [
    {
      name: 'inbound|http|9080',
      domains: ['*'],
      routes: [{ name: 'default', match: { prefix: '/' }, route: { cluster: 'inbound|9080||', timeout: '0s' } }],
    },
  ],
};
const DENY_ALL = packAny(HttpRbacSchema, fromJson(HttpRbacSchema, { rules: { action: 'ALLOW', policies: {} } }));

interface ChainSpec {
  readonly name: string;
  readonly match?: JsonValue;
  readonly tls?: JsonValue;
  readonly http?: JsonValue;
  readonly rbac?: boolean;
}

function virtualInbound(
  chains: readonly ChainSpec[],
  change: (listener: Listener) => void = () => undefined,
): RawResource {
  const message = fromJson(ListenerSchema, {
    name: 'virtualInbound',
    traffic_direction: 'INBOUND',
    filter_chains: chains.map(({ name, match }) => ({
      name,
      ...(match === undefined ? {} : { filter_chain_match: match }),
      filters: [{ name: 'end' }],
    })),
  });
  for (const [index, { tls, http, rbac }] of chains.entries()) {
    const chain = message.filterChains[index]!;
    if (tls !== undefined)
      chain.transportSocket = {
        $typeName: 'envoy.config.core.v3.TransportSocket',
        name: 'tls',
        configType: {
          case: 'typedConfig',
          value: packAny(DownstreamTlsContextSchema, fromJson(DownstreamTlsContextSchema, tls)),
        },
      };
    const manager = fromJson(HttpConnectionManagerSchema, {
      stat_prefix: 'inbound',
      route_config: ROUTES,
      http_filters: [
        { name: 'envoy.filters.http.rbac' },
        { name: 'istio.stats' },
        { name: 'envoy.filters.http.router' },
      ],
      ...(http as object),
    });
    manager.httpFilters[0]!.configType = { case: 'typedConfig', value: DENY_ALL };
    const end =
      http === undefined
        ? packAny(TcpProxySchema, { clusterSpecifier: { case: 'cluster', value: 'inbound' } })
        : packAny(HttpConnectionManagerSchema, manager);
    chain.filters[0]!.configType = { case: 'typedConfig', value: end };
    if (rbac === true) {
      const filter = fromJson(ListenerSchema, {
        filter_chains: [{ filters: [{ name: 'envoy.filters.network.rbac' }] }],
      }).filterChains[0]!.filters[0]!;
      filter.configType = {
        case: 'typedConfig',
        value: packAny(
          NetworkRbacSchema,
          fromJson(NetworkRbacSchema, {
            stat_prefix: 'tcp',
            rules: { action: 'DENY', policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } } },
          }),
        ),
      };
      chain.filters.unshift(filter);
    }
  }
  change(message);
  return { typeUrl: LISTENER_TYPE_URL, name: 'virtualInbound', version: '1', bytes: toBinary(ListenerSchema, message) };
}

const MTLS: JsonValue = {
  require_client_certificate: true,
  common_tls_context: {
    alpn_protocols: ['h2', 'http/1.1'],
    tls_certificate_sds_secret_configs: [{ name: 'default' }],
    combined_validation_context: {
      default_validation_context: {
        match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { prefix: 'spiffe://cluster.local/' } }],
      },
      validation_context_sds_secret_config: { name: 'ROOTCA' },
    },
  },
};

const facts = (rest: Partial<ConnectionFacts>): ConnectionFacts => ({
  destinationPort: 9080,
  destinationIp: '10.0.0.1',
  sourceIp: '10.0.0.2',
  sourcePort: 4000,
  transport: 'raw_buffer',
  serverName: '',
  applicationProtocols: ['http/1.1'],
  ...rest,
});

const inboundOf = (raw: RawResource) => {
  expect(createInspector(httpFilterKinds, networkFilterKinds).refusal(raw)).toBeUndefined();
  return buildSnapshot(viewOf([raw]), undefined, deps).inbound!;
};

const PERMISSIVE: readonly ChainSpec[] = [
  {
    name: 'tls',
    match: {
      destination_port: 9080,
      transport_protocol: 'tls',
      application_protocols: ['istio', 'istio-http/1.1', 'istio-h2'],
    },
    tls: MTLS,
    http: {},
  },
  { name: 'plain', match: { destination_port: 9080, transport_protocol: 'raw_buffer' }, http: {} },
  { name: 'other-ports', match: { transport_protocol: 'raw_buffer' } },
];

describe('an inbound listener', () => {
  it('meets mutual TLS, plain text and other ports by its chains', () => {
    const inbound = inboundOf(virtualInbound(PERMISSIVE));
    expect(inbound.chainFor(facts({ transport: 'tls', applicationProtocols: ['istio-http/1.1'] }))?.name).toBe('tls');
    expect(inbound.chainFor(facts({}))?.name).toBe('plain');
    expect(inbound.chainFor(facts({ destinationPort: 1 }))?.name).toBe('other-ports');
    expect(inbound.chainFor(facts({ transport: 'tls', applicationProtocols: ['h2'] }))).toBeUndefined();
    expect(inbound.portMode(9080)).toMatchObject({ tls: true, plain: true });
    expect(inbound.portMode(1)).toEqual({ tls: false, plain: true, contexts: [] });
    expect(inbound.portMode(9080).contexts[0]).toMatchObject({
      requireClientCertificate: true,
      certificateSource: { kind: 'identity' },
    });
    expect(inbound.chains[0]?.tls?.sans[0]?.matches('spiffe://cluster.local/ns/a/sa/b')).toBe(true);
  });

  it('takes plain text on no port when it is STRICT', () => {
    const inbound = inboundOf(virtualInbound([PERMISSIVE[0]!]));
    expect(inbound.portMode(9080)).toMatchObject({ tls: true, plain: false });
    expect(inbound.chainFor(facts({}))).toBeUndefined();
    expect(inbound.portMode(1)).toMatchObject({ tls: false, plain: false });
  });

  it('does not fall back to a wider chain once a port was met, as Envoy', () => {
    const inbound = inboundOf(
      virtualInbound([
        {
          name: 'port',
          match: { destination_port: 9080, source_prefix_ranges: [{ address_prefix: '10.9.0.0', prefix_len: 16 }] },
        },
        { name: 'any' },
      ]),
    );
    expect(inbound.chainFor(facts({}))).toBeUndefined();
    expect(inbound.chainFor(facts({ sourceIp: '10.9.1.1' }))?.name).toBe('port');
    expect(inbound.chainFor(facts({ destinationPort: 2 }))?.name).toBe('any');
  });

  it('takes the most specific server name and source range', () => {
    const names = [
      { name: 'wild', match: { server_names: ['*.example.com'] } },
      { name: 'exact', match: { server_names: ['a.example.com'] } },
      { name: 'longer', match: { server_names: ['*.b.example.com'] } },
      { name: 'any' },
    ];
    const inbound = inboundOf(virtualInbound(names));
    expect(
      ['a.example.com', 'x.example.com', 'x.b.example.com', 'other'].map(
        (serverName) => inbound.chainFor(facts({ serverName }))?.name,
      ),
    ).toEqual(['exact', 'wild', 'longer', 'any']);
    const ranges = inboundOf(
      virtualInbound([
        { name: 'wide', match: { source_prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }] } },
        { name: 'narrow', match: { source_prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 24 }] } },
      ]),
    );
    expect(ranges.chainFor(facts({}))?.name).toBe('narrow');
    expect(ranges.chainFor(facts({ sourceIp: '10.1.0.2' }))?.name).toBe('wide');
    expect(ranges.chainFor(facts({ sourceIp: '11.1.0.2' }))).toBeUndefined();
  });

  it('runs its HTTP and network filters in order and finds the route', () => {
    const inbound = inboundOf(
      virtualInbound([
        {
          name: 'http',
          http: {
            normalize_path: true,
            path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT',
            forward_client_cert_details: 'APPEND_FORWARD',
          },
          rbac: true,
        },
      ]),
    );
    const chain = inbound.chainFor(facts({}))!;
    expect(
      chain.networkFilters[0]?.decide({
        peerPrincipal: undefined,
        sourceIp: '10.0.0.2',
        sourcePort: 1,
        destinationIp: '10.0.0.1',
        destinationPort: 9080,
        serverName: '',
      }).allow,
    ).toBe(false);
    if (chain.handler.kind !== 'http') throw new Error('expected an HTTP chain');
    const { http } = chain.handler;
    expect(http).toMatchObject({
      normalizePath: true,
      escapedSlashes: 'unescape-redirect',
      forwardClientCert: 'append-forward',
    });
    expect(http.filters.map(({ typeUrl }) => typeUrl)).toEqual([RBAC_TYPE_URL]);
    const head = { method: 'GET', path: '/', authority: 'x', scheme: 'http', header: () => undefined };
    const route = http.filtersFor(head);
    expect(route).toMatchObject({ routeName: 'default', timeoutMs: 0 });
    expect(http.filtersFor(head)).toBe(route);
  });

  it('stays the identical object while its version does', () => {
    const first = buildSnapshot(viewOf([virtualInbound(PERMISSIVE)]), undefined, deps);
    const { inbound } = first;
    expect(buildSnapshot(viewOf([virtualInbound(PERMISSIVE)], 2), first, deps).inbound).toBe(inbound);
  });
});

describe('an inbound listener that can not be enforced', () => {
  const inspector = createInspector(httpFilterKinds, networkFilterKinds);
  const http = [{ name: 'http', http: {} }];
  const withFilter = (name: string, typeUrl: string, isOptional = false) =>
    virtualInbound(http, (listener) => {
      const config = listener.filterChains[0]!.filters[0]!.configType;
      if (config.case !== 'typedConfig') throw new Error('packed above');
      const manager = fromJson(HttpConnectionManagerSchema, {
        stat_prefix: 's',
        route_config: ROUTES,
        http_filters: [{ name, is_optional: isOptional }],
      });
      manager.httpFilters[0]!.configType = { case: 'typedConfig', value: create(AnySchema, { typeUrl }) };
      listener.filterChains[0]!.filters[0]!.configType = {
        case: 'typedConfig',
        value: packAny(HttpConnectionManagerSchema, manager),
      };
    });

  it('is refused for an unknown security filter, unless that is optional', () => {
    const typeUrl = 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz';
    expect(inspector.refusal(withFilter('envoy.filters.http.ext_authz', typeUrl))).toMatch(
      /enforces policy and is not known/,
    );
    expect(inspector.refusal(withFilter('my-name', typeUrl))).toMatch(/enforces policy/);
    expect(inspector.refusal(withFilter('envoy.filters.http.ext_authz', typeUrl, true))).toBeUndefined();
    expect(
      inspector.refusal(
        withFilter('istio_authn_wasm.wasm', 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm'),
      ),
    ).toBeDefined();
  });

  it('is taken with other unknown filters, which are reported', () => {
    const raw = withFilter(
      'envoy.filters.http.buffer',
      'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer',
    );
    expect(inspector.refusal(raw)).toBeUndefined();
    const snapshot = buildSnapshot(viewOf([raw]), undefined, deps);
    expect(snapshot.unsupported({ complete: true }).map(({ consequence }) => consequence)).toEqual([
      expect.stringContaining('envoy.filters.http.buffer'),
    ]);
  });

  it('is refused for a bad policy, naming resource and field', () => {
    const raw = virtualInbound(http, (listener) => {
      const manager = fromJson(HttpConnectionManagerSchema, {
        stat_prefix: 's',
        route_config: ROUTES,
        http_filters: [{ name: 'rbac' }],
      });
      const rbac = fromJson(HttpRbacSchema, {
        rules: {
          policies: {
            p: { permissions: [{ url_path: { path: { safe_regex: { regex: '(' } } } }], principals: [{ any: true }] },
          },
        },
      });
      manager.httpFilters[0]!.configType = { case: 'typedConfig', value: packAny(HttpRbacSchema, rbac) };
      listener.filterChains[0]!.filters[0]!.configType = {
        case: 'typedConfig',
        value: packAny(HttpConnectionManagerSchema, manager),
      };
    });
    expect(inspector.refusal(raw)).toMatch(
      /^Listener virtualInbound: filter_chains\[0\]\.filters\[0\]\.http_filters\[0\]/,
    );
    // Even past the inspector, nobody comes in through it.
    expect(buildSnapshot(viewOf([raw]), undefined, deps).inbound?.chainFor(facts({}))).toBeUndefined();
  });

  it('is refused for a transport socket or certificate that it can not serve', () => {
    expect(inspector.refusal(virtualInbound([{ name: 'x', tls: { common_tls_context: {} } }]))).toMatch(
      /a server needs a certificate/,
    );
    expect(
      inspector.refusal(
        virtualInbound([{ name: 'x' }], (listener) => {
          listener.filterChains[0]!.transportSocket = {
            $typeName: 'envoy.config.core.v3.TransportSocket',
            name: 'quic',
            configType: { case: undefined },
          };
        }),
      ),
    ).toMatch(/transport socket quic/);
  });

  it('collects all faults of the resource', () => {
    const refusal = inspector.refusal(
      virtualInbound([
        { name: 'a', tls: { common_tls_context: {} } },
        { name: 'b', match: { prefix_ranges: [{ address_prefix: 'nope' }] } },
      ]),
    );
    expect(refusal).toMatch(/filter_chains\[0\].*filter_chains\[1\]/);
  });
});
