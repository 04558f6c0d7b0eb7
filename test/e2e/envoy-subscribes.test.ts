// A real Envoy subscribes to the feed by delta ADS and takes everything it is sent: the proof that the feed speaks xDS.
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadPathsSync } from '../../packages/config/src/index.js';
import { testAuthority } from '../../packages/core/src/testing/test-certificates.js';
import { type FeedServer, type ObjectSource, objectSource, startFeedServer } from '../../packages/feed/src/index.js';
import { type SecretServer, startEnvoySecrets } from '../support/envoy-secrets.js';
import { type RunningEnvoy, envoyBinary, startEnvoy } from '../support/parts/envoy.js';

const part = envoyBinary();
const mesh = loadPathsSync(['examples/bookinfo/mesh']);

interface ConfigDump {
  readonly configs: readonly Record<string, unknown>[];
}

/**
 * A listener of the test's own on loopback that takes its routes from the feed: the listeners that the feed serves bind to every address,
 * as Istio's do, and are accepted by hand in a network namespace only.
 */
const routedListener = {
  name: 'test',
  address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
  filter_chains: [
    {
      filters: [
        {
          name: 'envoy.filters.network.http_connection_manager',
          typed_config: {
            '@type':
              'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
            stat_prefix: 'test',
            rds: { config_source: { ads: {}, resource_api_version: 'V3' }, route_config_name: '9080' },
            http_filters: [
              {
                name: 'envoy.filters.http.router',
                typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
              },
            ],
          },
        },
      ],
    },
  ],
};

function bootstrap(feedPort: number, secretsPort: number, adminPort: number): object {
  const cluster = (name: string, port: number) => ({
    name,
    type: 'STATIC',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }] },
      ],
    },
  });
  return {
    node: {
      id: 'sidecar~127.0.1.9~productpage-1.bookinfo~bookinfo.svc.cluster.local',
      cluster: 'productpage.bookinfo',
      metadata: { NAMESPACE: 'bookinfo', LABELS: { app: 'gateway' } },
    },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'feed' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      listeners: [routedListener],
      clusters: [cluster('feed', feedPort), cluster('sds-grpc', secretsPort)],
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Every `error_state` anywhere in the dump, and what is held how often. */
function read(dump: ConfigDump) {
  const errors: unknown[] = [];
  const find = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('error_state' in value) errors.push(value.error_state);
    for (const child of Object.values(value)) find(child);
  };
  find(dump);
  const count = (type: string, list: string) => {
    const config = dump.configs.find((entry) => String(entry['@type']).endsWith(`.${type}`));
    return (config?.[list] as unknown[] | undefined)?.length ?? 0;
  };
  return { errors, count };
}

describe.skipIf(!part.available)(part.available ? 'a real Envoy' : `a real Envoy (${part.reason})`, () => {
  let source: ObjectSource;
  let feed: FeedServer;
  let secrets: SecretServer;
  let envoy: RunningEnvoy;
  const refusals: string[] = [];

  const dump = async () => (await fetch(`http://${envoy.admin}/config_dump?include_eds`)).json() as Promise<ConfigDump>;
  const synced = () => {
    const [client] = feed.status().clients;
    return client !== undefined && client.types.length === 3 && client.types.every(({ sync }) => sync === 'SYNCED');
  };

  beforeAll(async () => {
    if (!part.available) return;
    const authority = testAuthority('cluster.local');
    secrets = await startEnvoySecrets({
      ...authority.issue({ spiffeId: 'spiffe://cluster.local/ns/bookinfo/sa/productpage' }),
      rootsPem: authority.rootPem,
    });
    source = objectSource(mesh.objects);
    const warn = (_: object, message: string) => refusals.push(message);
    feed = await startFeedServer({ source, log: { info: () => undefined, warn, error: warn } });
    const adminPort = await freePort();
    envoy = await startEnvoy(
      part.value,
      bootstrap(feed.port, secrets.port, adminPort),
      `127.0.0.1:${adminPort}`,
      40_000 + (process.pid % 20_000),
    );
  });
  afterAll(async () => {
    if (!part.available) return;
    await envoy.stop();
    await feed.close();
    secrets.close();
  });

  it('accepts every cluster, its endpoints and the route table', async () => {
    await vi.waitUntil(synced, { timeout: 15_000 });
    const { errors, count } = read(await dump());
    expect(refusals).toEqual([]);
    expect(errors).toEqual([]);
    expect(count('ClustersConfigDump', 'dynamic_warming_clusters')).toBe(0);
    expect(count('ClustersConfigDump', 'dynamic_active_clusters')).toBeGreaterThanOrEqual(7);
    expect(count('RoutesConfigDump', 'dynamic_route_configs')).toBe(1);
  });

  it('follows an edit', async () => {
    await vi.waitUntil(synced, { timeout: 15_000 });
    const without = mesh.objects.filter(
      ({ kind, metadata }) => !(kind === 'VirtualService' && metadata.name === 'reviews'),
    );
    expect(JSON.stringify(await dump())).toContain('jason');
    source.replace(without);
    await vi.waitUntil(async () => !JSON.stringify(await dump()).includes('jason'), { timeout: 5_000 });
    expect(read(await dump()).errors).toEqual([]);
  });
});
