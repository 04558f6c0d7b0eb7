import {
  AnySchema,
  CLUSTER_TYPE_URL,
  ENDPOINT_TYPE_URL,
  HTTPFaultSchema,
  HttpConnectionManagerSchema,
  type JsonValue,
  LISTENER_TYPE_URL,
  ListenerSchema,
  ROUTE_TYPE_URL,
  type RawResource,
  RouteConfigurationSchema,
  TcpProxySchema,
  create,
  fromJson,
  packAny,
  toBinary,
} from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { faultFilterKind } from '../filters/fault-filter.js';
import { rawResource, viewOf } from '../testing/test-view.js';
import { VirtualClock } from '../testing/virtual-clock.js';
import { buildSnapshot, emptySnapshot } from './build-snapshot.js';

const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

const state = new Map<string, unknown>();
const deps = {
  filterKinds: [faultFilterKind],
  filterState: {
    stateFor<State>(key: string, create: () => State): State {
      if (!state.has(key)) state.set(key, create());
      return state.get(key) as State;
    },
  },
  clock: new VirtualClock(),
};

/** Listeners hold packed filters, which the JSON mapping needs a registry for: they are built from messages. */
function listener(
  name: string,
  filters: { http?: JsonValue; tcp?: string }[],
  extra: JsonValue = {},
  version = '1',
): RawResource {
  const message = fromJson(ListenerSchema, { name, ...(extra as object) });
  message.filterChains = filters.map(({ http, tcp }, index) => {
    const [chain] = fromJson(ListenerSchema, {
      filter_chains: [{ name: `chain-${index}`, filters: [{ name: 'f' }] }],
    }).filterChains;
    const packed =
      http === undefined
        ? packAny(TcpProxySchema, { statPrefix: 's', clusterSpecifier: { case: 'cluster', value: tcp ?? '' } })
        : packAny(HttpConnectionManagerSchema, fromJson(HttpConnectionManagerSchema, http));
    chain!.filters[0]!.configType = { case: 'typedConfig', value: create(AnySchema, packed) };
    return chain!;
  });
  return { typeUrl: LISTENER_TYPE_URL, name, version, bytes: toBinary(ListenerSchema, message) };
}

const rds = (name: string): JsonValue => ({
  stat_prefix: 's',
  rds: { route_config_name: name },
  http_filters: [{ name: 'envoy.filters.http.router' }],
});
const cluster = (name: string, version = '1') =>
  rawResource(
    CLUSTER_TYPE_URL,
    name,
    { name, type: 'EDS', eds_cluster_config: { service_name: name }, connect_timeout: '1s' },
    version,
  );
const endpoints = (name: string, addresses: string[], version = '1') =>
  rawResource(
    ENDPOINT_TYPE_URL,
    name,
    {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: addresses.map((address) => ({
            endpoint: { address: { socket_address: { address, port_value: 80 } } },
          })),
        },
      ],
    },
    version,
  );
const routes = (name: string, target: string, version = '1') =>
  rawResource(
    ROUTE_TYPE_URL,
    name,
    {
      name,
      virtual_hosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: target } }] }],
    },
    version,
  );

describe('buildSnapshot', () => {
  it('knows nothing before the first update', () => {
    expect(emptySnapshot().outboundListener('a', 80)).toBeUndefined();
    expect(emptySnapshot().generation).toBe(0);
  });

  it('gives the identical objects for what did not change', () => {
    const first = buildSnapshot(
      viewOf([
        cluster('a'),
        cluster('b'),
        endpoints('a', ['10.0.0.1']),
        endpoints('b', ['10.0.0.2']),
        routes('80', 'a'),
        listener('0.0.0.0_80', [{ http: rds('80') }]),
      ]),
      undefined,
      deps,
    );
    const before = {
      a: first.cluster('a'),
      b: first.cluster('b'),
      table: first.routeTable('80'),
      listener: first.outboundListener('x', 80),
    };
    const second = buildSnapshot(
      viewOf(
        [
          cluster('a'),
          cluster('b'),
          endpoints('a', ['10.0.0.1']),
          endpoints('b', ['10.0.0.3'], '2'),
          routes('80', 'a'),
          listener('0.0.0.0_80', [{ http: rds('80') }]),
        ],
        2,
      ),
      first,
      deps,
    );
    expect(second.generation).toBe(2);
    expect(second.cluster('a')).toBe(before.a);
    expect(second.routeTable('80')).toBe(before.table);
    expect(second.outboundListener('x', 80)).toBe(before.listener);
    expect(second.cluster('b')).not.toBe(before.b);
    expect(second.cluster('b')?.priorities[0]?.localities[0]?.endpoints[0]?.address).toBe('10.0.0.3:80');
    expect(first.cluster('b')).toBe(before.b);
    expect(second.cluster('b')?.version).toBe('1/2');
  });

  it('shares what is compiled late with the snapshot that came in between', () => {
    const first = buildSnapshot(viewOf([cluster('a'), endpoints('a', ['10.0.0.1'])]), undefined, deps);
    const second = buildSnapshot(viewOf([cluster('a'), endpoints('a', ['10.0.0.1'])], 2), first, deps);
    expect(second.cluster('a')).toBe(first.cluster('a'));
  });

  it('tells endpoints that have not come from endpoints that are none', () => {
    const first = buildSnapshot(viewOf([cluster('a')]), undefined, deps);
    expect(first.cluster('a')).toMatchObject({ endpointsKnown: false, priorities: [] });
    const second = buildSnapshot(viewOf([cluster('a'), endpoints('a', [])], 2), first, deps);
    expect(second.cluster('a')?.endpointsKnown).toBe(true);
    expect(second.cluster('nope')).toBeUndefined();
    expect(second.cluster('__proto__')).toBeUndefined();
  });

  it('chooses the listener as the original destination would', () => {
    const snapshot = buildSnapshot(
      viewOf([
        listener('10.1.1.1_3306', [{ tcp: 'mysql' }]),
        listener('0.0.0.0_3306', [{ http: rds('3306') }]),
        listener('virtualOutbound', [{ tcp: 'BlackHoleCluster' }, { tcp: 'PassthroughCluster' }]),
        listener('virtualInbound', [{ http: rds('in') }]),
        listener('127.0.0.1_15080', [{ http: rds('http_proxy') }]),
      ]),
      undefined,
      deps,
    );
    expect(snapshot.outboundListener('10.1.1.1', 3306)?.target).toMatchObject({
      kind: 'tcp',
      clusters: { entries: [{ name: 'mysql' }] },
    });
    expect(snapshot.outboundListener('mysql', 3306)?.name).toBe('0.0.0.0_3306');
    expect(snapshot.outboundListener('mysql', 99)?.name).toBe('virtualOutbound');
    expect(snapshot.outboundListener('x', 15006)?.name).toBe('virtualOutbound');
    expect(snapshot.listenerByName('virtualInbound')).toBeUndefined();
    expect(snapshot.inbound).toBeDefined();
  });

  it('finds on-demand listeners by host and port', () => {
    const message = fromJson(ListenerSchema, { name: 'reviews.default:9080' });
    message.apiListener = {
      $typeName: 'envoy.config.listener.v3.ApiListener',
      apiListener: packAny(
        HttpConnectionManagerSchema,
        fromJson(HttpConnectionManagerSchema, rds('outbound|9080||reviews')),
      ),
    };
    const raw: RawResource = {
      typeUrl: LISTENER_TYPE_URL,
      name: message.name,
      version: '1',
      bytes: toBinary(ListenerSchema, message),
    };
    const snapshot = buildSnapshot(viewOf([raw]), undefined, deps);
    expect(snapshot.outboundListener('reviews.default', 9080)?.target).toMatchObject({
      kind: 'http',
      routeName: 'outbound|9080||reviews',
    });
    expect(snapshot.outboundListener('reviews.default', 9081)).toBeUndefined();
  });

  it('runs the filters of the listener that asks for a table, with the overrides of its routes', () => {
    const withFault: JsonValue = {
      stat_prefix: 's',
      rds: { route_config_name: '80' },
      http_filters: [{ name: 'envoy.filters.http.fault' }, { name: 'envoy.filters.http.router' }],
    };
    const hcm = fromJson(HttpConnectionManagerSchema, withFault);
    hcm.httpFilters[0]!.configType = {
      case: 'typedConfig',
      value: create(AnySchema, { typeUrl: faultFilterKind.typeUrl }),
    };
    const message = fromJson(ListenerSchema, { name: '0.0.0.0_80', filter_chains: [{ filters: [{ name: 'h' }] }] });
    message.filterChains[0]!.filters[0]!.configType = {
      case: 'typedConfig',
      value: packAny(HttpConnectionManagerSchema, hcm),
    };
    expect(message.filterChains[0]!.filters[0]!.configType.value.typeUrl).toBe(HCM);
    const raw: RawResource = {
      typeUrl: LISTENER_TYPE_URL,
      name: message.name,
      version: '1',
      bytes: toBinary(ListenerSchema, message),
    };
    const table = fromJson(RouteConfigurationSchema, {
      name: '80',
      virtual_hosts: [
        {
          name: 'v',
          domains: ['*'],
          routes: [
            { match: { prefix: '/slow' }, route: { cluster: 'a' } },
            { match: { prefix: '/' }, route: { cluster: 'a' } },
          ],
        },
      ],
    });
    table.virtualHosts[0]!.routes[0]!.typedPerFilterConfig = {
      'envoy.filters.http.fault': packAny(
        HTTPFaultSchema,
        fromJson(HTTPFaultSchema, { abort: { http_status: 503, percentage: { numerator: 100 } } }),
      ),
    };
    const rawTable: RawResource = {
      typeUrl: ROUTE_TYPE_URL,
      name: '80',
      version: '1',
      bytes: toBinary(RouteConfigurationSchema, table),
    };
    const snapshot = buildSnapshot(viewOf([raw, rawTable]), undefined, deps);
    const host = snapshot.routeTable('80')?.virtualHost('any');
    const head = (path: string) => ({ method: 'GET', path, authority: 'any', scheme: 'http', header: () => undefined });
    expect(host?.match(head('/slow'), () => 0)?.filters.map(({ name }) => name)).toEqual(['envoy.filters.http.fault']);
    expect(host?.match(head('/'), () => 0)?.filters).toEqual([]);
  });

  it('reports every set field that has no effect, with its path', () => {
    const odd = rawResource(CLUSTER_TYPE_URL, 'odd', {
      name: 'odd',
      type: 'EDS',
      health_checks: [{ timeout: '1s', interval: '1s' }],
      lb_subset_config: { fallback_policy: 'ANY_ENDPOINT' },
      circuit_breakers: { thresholds: [{ max_requests: 5, retry_budget: {} }] },
      alt_stat_name: 'x',
    });
    const snapshot = buildSnapshot(viewOf([odd]), undefined, deps);
    expect(snapshot.unsupported()).toEqual([]);
    const found = snapshot.unsupported({ complete: true });
    expect(found.map(({ resource, path }) => `${resource} ${path}`).sort()).toEqual([
      'Cluster odd $.circuit_breakers.thresholds[0].retry_budget',
      'Cluster odd $.health_checks',
      'Cluster odd $.lb_subset_config',
    ]);
    expect(snapshot.unsupported()).toEqual(found);
  });

  it('builds over 1,000 services of 10 endpoints without a stall', () => {
    const resources = Array.from({ length: 1000 }, (_, index) => [
      cluster(`c${index}`),
      endpoints(
        `c${index}`,
        Array.from({ length: 10 }, (__, host) => `10.0.${index % 250}.${host}`),
      ),
    ]).flat();
    const view = viewOf(resources);
    const first = buildSnapshot(view, undefined, deps);
    const next = {
      ...viewOf([
        ...resources.filter(({ name }) => name !== 'c7'),
        cluster('c7', '2'),
        endpoints('c7', ['10.9.9.9'], '2'),
      ]),
      generation: 2,
    };
    const started = performance.now();
    const second = buildSnapshot(next, first, deps);
    expect(performance.now() - started).toBeLessThan(50);
    expect(second.cluster('c7')?.priorities[0]?.localities[0]?.endpoints).toHaveLength(1);
    expect(second.clusterNames()).toHaveLength(1000);
  });
});
