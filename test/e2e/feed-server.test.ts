// The two ends of xDS against each other: `startFeedServer` over a folder of YAML, and core's ADS client with its subscriptions.
import {
  CLUSTER_TYPE_URL as CDS,
  ClientStatusRequestSchema,
  ClientStatusResponseSchema,
  ConfigStatus,
  ENDPOINT_TYPE_URL as EDS,
  LISTENER_TYPE_URL as LDS,
  ROUTE_TYPE_URL as RDS,
  RouteConfigurationSchema,
  create,
  fromBinary,
  toBinary,
} from '@heddle/xds';
import { Client, credentials } from '@grpc/grpc-js';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FeedServer, folderSource, startFeedServer } from '../../packages/feed/src/index.js';
import { systemClock } from '../../packages/core/src/clock.js';
import { adsFeed } from '../../packages/core/src/feed/ads/ads-feed.js';
import type { FeedEvent } from '../../packages/core/src/feed/feed-status.js';
import type { ResourceInspector, ResourceView } from '../../packages/core/src/feed/resource-view.js';
import { Subscriptions } from '../../packages/core/src/feed/subscriptions.js';
import { httpFilterKinds, networkFilterKinds } from '../../packages/core/src/filters/registry.js';
import { createInspector } from '../../packages/core/src/snapshot/resource/resource-inspector.js';

const services = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: shop }
spec:
  selector: { app: reviews }
  ports: [{ name: http, port: 9080 }]
---
apiVersion: v1
kind: Service
metadata: { name: ratings, namespace: shop }
spec:
  selector: { app: ratings }
  ports: [{ name: http, port: 9080 }]
---
apiVersion: v1
kind: Pod
metadata: { name: reviews-1, namespace: shop, labels: { app: reviews, version: v1 } }
status: { podIP: 127.0.1.1, phase: Running, conditions: [{ type: Ready, status: 'True' }] }
---
apiVersion: v1
kind: Pod
metadata: { name: ratings-1, namespace: shop, labels: { app: ratings, version: v1 } }
status: { podIP: 127.0.1.2, phase: Running, conditions: [{ type: Ready, status: 'True' }] }
`;
const routing = (timeout: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
    - timeout: ${timeout}
      route: [{ destination: { host: reviews } }]
`;

interface Joined {
  readonly subscriptions: Subscriptions;
  readonly views: ResourceView[];
  readonly events: FeedEvent[];
}

let folder: string;
let server: FeedServer;
let joined: Joined[];
const logged: string[] = [];
const log = {
  info: () => undefined,
  warn: (_: object, message: string) => logged.push(message),
  error: (_: object, message: string) => logged.push(message),
};

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 15_000, interval: 5 });

const start = (listen = '127.0.0.1:0') =>
  startFeedServer({ source: folderSource([folder], { debounceMs: 5, pollIntervalMs: 200 }), listen, log });

function join_(
  app: string,
  options: { mode?: 'delta' | 'sotw'; inspector?: ResourceInspector; ip?: string } = {},
): Joined {
  const views: ResourceView[] = [];
  const events: FeedEvent[] = [];
  const subscriptions = new Subscriptions({
    feed: adsFeed({ url: `xds://${server.address}`, mode: options.mode ?? 'auto' }),
    node: {
      id: `sidecar~${options.ip ?? '127.0.1.9'}~${app}-1.shop~shop.svc.cluster.local`,
      cluster: `${app}.shop`,
      locality: { region: '', zone: '', subZone: '' },
      metadata: { NAMESPACE: 'shop', LABELS: { app } },
    },
    inspector: options.inspector ?? createInspector(httpFilterKinds, networkFilterKinds),
    clock: systemClock,
    onView: (view) => views.push(view),
    onEvent: (event) => events.push(event),
  });
  const member = { subscriptions, views, events };
  joined.push(member);
  return member;
}

const versions = (view: ResourceView) =>
  new Map(
    [view.clusters, view.endpoints, view.listeners, view.routes].flatMap((resources) =>
      [...resources.values()].map((resource) => [`${resource.typeUrl} ${resource.name}`, resource.version] as const),
    ),
  );
const timeoutSeconds = (view: ResourceView | undefined): number | undefined => {
  const bytes = view?.routes.get('9080')?.bytes;
  if (bytes === undefined) return undefined;
  const host = fromBinary(RouteConfigurationSchema, bytes).virtualHosts.find(({ name }) => name.startsWith('reviews.'));
  const action = host?.routes[0]?.action;
  return action?.case === 'route' ? Number(action.value.timeout?.seconds) : undefined;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-feed-'));
  joined = [];
  logged.length = 0;
  await write('services.yaml', services);
  await write('routing.yaml', routing('3s'));
  server = await start();
});
afterEach(async () => {
  for (const { subscriptions } of joined) subscriptions.close();
  await server.close();
  await rm(folder, { recursive: true });
});

describe.each(['delta', 'sotw'] as const)('a workload over %s', (mode) => {
  it('gets a complete view and acknowledges it', async () => {
    const { subscriptions, views } = join_('web', { mode });
    await until(() => subscriptions.ready);
    expect(views).toHaveLength(1);
    expect([...views[0]!.endpoints.keys()]).toContain('outbound|9080||reviews.shop.svc.cluster.local');
    expect(timeoutSeconds(views[0])).toBe(3);
    expect(subscriptions.status()).toMatchObject({ phase: 'connected', rejected: [], awaited: [] });
    await until(() => server.status().clients[0]?.types.every(({ sync }) => sync === 'SYNCED') === true);
    expect(server.status().clients[0]).toMatchObject({ variant: mode, nodeId: expect.stringContaining('web-1.shop') });
  });

  it('is sent an edit, and only what it changed differs', async () => {
    const { subscriptions, views } = join_('web', { mode });
    await until(() => subscriptions.ready);
    const before = versions(views.at(-1)!);
    await write('routing.yaml', routing('4s'));
    await until(() => timeoutSeconds(views.at(-1)) === 4);
    const after = versions(views.at(-1)!);
    expect([...after].filter(([name, version]) => before.get(name) !== version).map(([name]) => name)).toEqual([
      `${RDS} 9080`,
    ]);
    await until(() => server.status().clients[0]?.types.every(({ sync }) => sync === 'SYNCED') === true);
    const types = new Map(server.status().clients[0]!.types.map((type) => [type.typeUrl, type.sentVersion]));
    expect(types.get(RDS)).not.toBe(types.get(CDS));
    expect(types.get(EDS)).toBe(types.get(CDS));
    expect(types.get(LDS)).toBe(types.get(CDS));
  });
});

it('translates once for a class of workloads and version, however many clients it has', async () => {
  const clients = Array.from({ length: 8 }, (_, index) => join_('web', { ip: `127.0.2.${index + 1}` }));
  await until(() => clients.every(({ subscriptions }) => subscriptions.ready));
  expect(server.status().generated).toBe(1);
  const other = join_('reviews', { ip: '127.0.1.1' });
  await until(() => other.subscriptions.ready);
  expect(server.status().generated).toBe(2);
  await write('routing.yaml', routing('7s'));
  await until(() => [...clients, other].every(({ views }) => timeoutSeconds(views.at(-1)) === 7));
  expect(server.status().generated).toBe(4);
});

it('keeps the last good version when an edit is bad, and says so', async () => {
  const { subscriptions, views } = join_('web');
  await until(() => subscriptions.ready);
  await write('routing.yaml', routing('4 parsecs'));
  await until(() => server.status().refused !== undefined);
  expect(logged.join()).toContain('stays in force');
  expect(server.status().refused?.findings.some(({ file }) => file?.endsWith('routing.yaml'))).toBe(true);
  const late = join_('late');
  await until(() => late.subscriptions.ready);
  expect(timeoutSeconds(late.views.at(-1))).toBe(3);
  await write('routing.yaml', routing('5s'));
  await until(() => timeoutSeconds(views.at(-1)) === 5);
  expect(server.status().refused).toBeUndefined();
});

it('shows a refusal in its status and over CSDS, and the client serves on', async () => {
  const inspector = createInspector(httpFilterKinds, networkFilterKinds);
  const picky: ResourceInspector = {
    references: (resource) => inspector.references(resource),
    refusal: (resource) =>
      resource.name === '9080' && timeoutOf(resource.bytes) === 6
        ? 'RouteConfiguration 9080: six is refused'
        : undefined,
  };
  const timeoutOf = (bytes: Uint8Array) => (Buffer.from(bytes).includes(Buffer.from([8, 6])) ? 6 : 0);
  const { subscriptions, views } = join_('web', { inspector: picky });
  await until(() => subscriptions.ready);
  await write('routing.yaml', routing('6s'));
  const routeStatus = () => server.status().clients[0]?.types.find(({ typeUrl }) => typeUrl === RDS);
  await until(() => routeStatus()?.sync === 'ERROR');
  expect(routeStatus()?.nack?.message).toBe('RouteConfiguration 9080: six is refused');
  expect(timeoutSeconds(views.at(-1))).toBe(3);
  const client = new Client(server.address, credentials.createInsecure());
  const response = await new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(
      '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus',
      (message: Uint8Array) => Buffer.from(message),
      (bytes) => bytes,
      toBinary(ClientStatusRequestSchema, create(ClientStatusRequestSchema)),
      (error, bytes) => (error === null && bytes !== undefined ? resolve(bytes) : reject(error ?? new Error('empty'))),
    );
  });
  client.close();
  const [config] = fromBinary(ClientStatusResponseSchema, response).config;
  expect(config?.node?.id).toContain('web-1.shop');
  const routes = config?.genericXdsConfigs.find(({ typeUrl }) => typeUrl === RDS);
  expect(routes).toMatchObject({
    configStatus: ConfigStatus.ERROR,
    errorState: { details: 'RouteConfiguration 9080: six is refused' },
  });
  await write('routing.yaml', routing('8s'));
  await until(() => timeoutSeconds(views.at(-1)) === 8);
  await until(() => routeStatus()?.sync === 'SYNCED');
});

it('is restarted: the clients keep everything, come back, and get what changed meanwhile', async () => {
  const { subscriptions, views, events } = join_('web');
  await until(() => subscriptions.ready);
  const generation = views.at(-1)!.generation;
  const { address } = server;
  await server.close();
  await until(() => subscriptions.status().phase === 'disconnected');
  expect(subscriptions.view.generation).toBe(generation);
  server = await start(address);
  await until(() => server.status().clients.length === 1);
  await until(() => server.status().clients[0]?.types.length === 4);
  await until(() => server.status().clients[0]?.types.every(({ sync }) => sync === 'SYNCED') === true);
  expect(subscriptions.view.generation).toBe(generation);
  await write('routing.yaml', routing('9s'));
  await until(() => timeoutSeconds(views.at(-1)) === 9);
  expect(events.filter(({ kind }) => kind === 'missing')).toEqual([]);
});
