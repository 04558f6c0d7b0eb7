import { Client, type ClientDuplexStream, type StatusObject, credentials, status } from '@grpc/grpc-js';
import { loadText } from '@heddle/config';
import {
  CLUSTER_TYPE_URL as CDS,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
  ENDPOINT_TYPE_URL as EDS,
  LISTENER_TYPE_URL as LDS,
  type MessageInitShape,
  ROUTE_TYPE_URL as RDS,
  create,
  fromBinary,
  toBinary,
} from '@heddle/xds';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FeedServer, startFeedServer } from './ads-server.js';
import { type ObjectSource, objectSource } from './config-source.js';

const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }
---
`;
const objects = (...names: string[]) => loadText(names.map(service).join('')).objects;
const clusterOf = (name: string) => `outbound|9080||${name}.shop.svc.cluster.local`;
const node = {
  id: 'sidecar~127.0.1.9~web-1.shop~shop.svc.cluster.local',
  metadata: { NAMESPACE: 'shop', LABELS: { app: 'web' } },
};
const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService';

/** A client that says exactly what a test wants. */
class ScriptedClient<Request, Response> {
  readonly responses: Response[] = [];
  ended: StatusObject | undefined;
  readonly call: ClientDuplexStream<Request, Response>;
  readonly #client: Client;

  constructor(
    address: string,
    method: string,
    encode: (request: Request) => Buffer,
    decode: (bytes: Buffer) => Response,
  ) {
    this.#client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    this.call = this.#client.makeBidiStreamRequest(`${path}/${method}`, encode, decode);
    this.call.on('data', (response: Response) => this.responses.push(response));
    this.call.on('error', () => undefined);
    this.call.on('status', (ended: StatusObject) => (this.ended = ended));
  }

  close(): void {
    this.call.cancel();
    this.#client.close();
  }
}

let source: ObjectSource;
let server: FeedServer;
let clients: { close(): void }[];

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

function delta() {
  type Init = MessageInitShape<typeof DeltaDiscoveryRequestSchema>;
  const client = new ScriptedClient<Init, DeltaDiscoveryResponse>(
    server.address,
    'DeltaAggregatedResources',
    (request) => Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request))),
    (bytes) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
  );
  clients.push(client);
  return client;
}

function sotw() {
  type Init = MessageInitShape<typeof DiscoveryRequestSchema>;
  const client = new ScriptedClient<Init, DiscoveryResponse>(
    server.address,
    'StreamAggregatedResources',
    (request) => Buffer.from(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request))),
    (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
  );
  clients.push(client);
  return client;
}

const names = (response: DeltaDiscoveryResponse | undefined) => response?.resources.map(({ name }) => name) ?? [];
const syncOf = (typeUrl: string) => server.status().clients[0]?.types.find((type) => type.typeUrl === typeUrl)?.sync;

beforeEach(async () => {
  source = objectSource(objects('reviews', 'ratings'));
  clients = [];
  server = await startFeedServer({ source, answerTimeoutMs: 200 });
});
afterEach(async () => {
  for (const client of clients) client.close();
  await server.close();
});

describe('a delta client', () => {
  it('gets every cluster for an empty first request, and named endpoints by name', async () => {
    const client = delta();
    client.call.write({ node, typeUrl: CDS });
    client.call.write({ typeUrl: EDS, resourceNamesSubscribe: [clusterOf('reviews'), 'nobody'] });
    await until(() => client.responses.length === 2);
    expect(names(client.responses[0])).toEqual(expect.arrayContaining([clusterOf('reviews'), clusterOf('ratings')]));
    expect(client.responses[0]?.resources[0]?.resource?.typeUrl).toBe(CDS);
    expect(names(client.responses[1])).toEqual([clusterOf('reviews')]);
    expect(client.responses[1]?.removedResources).toEqual(['nobody']);
  });

  it('that comes back is sent only what it lacks, and told what is gone', async () => {
    const first = delta();
    first.call.write({ node, typeUrl: CDS });
    await until(() => first.responses.length === 1);
    const kept = Object.fromEntries(first.responses[0]!.resources.map(({ name, version }) => [name, version]));
    first.close();
    const again = delta();
    again.call.write({
      node,
      typeUrl: CDS,
      initialResourceVersions: { ...kept, [clusterOf('ratings')]: 'old', gone: '1' },
    });
    await until(() => again.responses.length === 1);
    expect(names(again.responses[0])).toEqual([clusterOf('ratings')]);
    expect(again.responses[0]?.removedResources).toEqual(['gone']);
  });

  it('is pushed to in the order clusters, endpoints, listeners, routes, whatever it subscribed to first', async () => {
    const client = delta();
    const types = [RDS, LDS, EDS, CDS];
    for (const typeUrl of types) client.call.write({ node, typeUrl });
    await until(() => client.responses.length === 4);
    for (const { typeUrl, nonce } of client.responses) client.call.write({ typeUrl, responseNonce: nonce });
    await until(() => types.every((typeUrl) => syncOf(typeUrl) === 'SYNCED'));
    source.replace(objects('reviews', 'details'));
    await until(() => client.responses.length >= 7);
    const pushed = client.responses.slice(4).map(({ typeUrl }) => typeUrl);
    expect(pushed).toEqual([CDS, EDS, LDS, RDS].filter((typeUrl) => pushed.includes(typeUrl)));
    const clusters = client.responses.find((response, index) => index >= 4 && response.typeUrl === CDS);
    expect(names(clusters)).toEqual([clusterOf('details')]);
    expect(clusters?.removedResources).toEqual([clusterOf('ratings')]);
  });

  it('that does not answer gets merged changes, and nothing more than one push in its patience', async () => {
    const client = delta();
    client.call.write({ node, typeUrl: CDS });
    await until(() => client.responses.length === 1);
    source.replace(objects('reviews', 'a'));
    source.replace(objects('reviews', 'a', 'b'));
    source.replace(objects('reviews', 'a', 'b', 'c'));
    expect(syncOf(CDS)).toBe('STALE');
    await until(() => client.responses.length === 2);
    expect(names(client.responses[1]).sort()).toEqual(['a', 'b', 'c'].map(clusterOf));
    expect(client.responses[1]?.removedResources).toEqual([clusterOf('ratings')]);
    client.call.write({ typeUrl: CDS, responseNonce: client.responses[0]!.nonce });
    client.call.write({ typeUrl: CDS, responseNonce: client.responses[1]!.nonce });
    await until(() => syncOf(CDS) === 'SYNCED');
  });

  it('is told again what it subscribes to again', async () => {
    const client = delta();
    client.call.write({ node, typeUrl: EDS, resourceNamesSubscribe: [clusterOf('reviews')] });
    client.call.write({ typeUrl: EDS, resourceNamesUnsubscribe: [clusterOf('reviews')] });
    client.call.write({ typeUrl: EDS, resourceNamesSubscribe: [clusterOf('reviews')] });
    await until(() => client.responses.length === 2);
    expect(names(client.responses[1])).toEqual([clusterOf('reviews')]);
  });
});

describe('a state-of-the-world client', () => {
  it('gets all clusters on a change, and its request with an old nonce is ignored', async () => {
    const client = sotw();
    client.call.write({ node, typeUrl: CDS });
    await until(() => client.responses.length === 1);
    const [first] = client.responses;
    client.call.write({ typeUrl: CDS, responseNonce: first!.nonce, versionInfo: first!.versionInfo });
    await until(() => syncOf(CDS) === 'SYNCED');
    source.replace(objects('reviews', 'ratings', 'details'));
    await until(() => client.responses.length === 2);
    expect(client.responses[1]!.resources.length).toBe(first!.resources.length + 1);
    client.call.write({ typeUrl: CDS, responseNonce: first!.nonce, versionInfo: first!.versionInfo });
    client.call.write({ typeUrl: LDS });
    await until(() => client.responses.length === 3);
    expect(syncOf(CDS)).toBe('STALE');
    client.call.write({
      typeUrl: CDS,
      responseNonce: client.responses[1]!.nonce,
      errorDetail: { code: 3, message: 'no' },
    });
    await until(() => syncOf(CDS) === 'ERROR');
  });

  it('is not answered on a request that crossed a newer response, but on the one that follows it', async () => {
    const client = sotw();
    client.call.write({ node, typeUrl: CDS, resourceNames: [clusterOf('reviews')] });
    await until(() => client.responses.length === 1);
    const old = client.responses[0]!.nonce;
    client.call.write({
      typeUrl: CDS,
      responseNonce: old,
      resourceNames: [clusterOf('reviews'), clusterOf('ratings')],
    });
    await until(() => client.responses.length === 2);
    const resourceNames = [clusterOf('reviews')];
    client.call.write({ typeUrl: CDS, responseNonce: old, resourceNames: [...resourceNames, 'PassthroughCluster'] });
    client.call.write({ typeUrl: LDS });
    await until(() => client.responses.length === 3);
    expect(client.responses[2]?.typeUrl).toBe(LDS);
    const { nonce } = client.responses[1]!;
    client.call.write({ typeUrl: CDS, responseNonce: nonce, resourceNames: [...resourceNames, 'PassthroughCluster'] });
    await until(() => client.responses.length === 4);
    expect(client.responses[3]?.resources).toHaveLength(2);
  });

  it('that widens its names gets the added ones', async () => {
    const client = sotw();
    client.call.write({ node, typeUrl: EDS, resourceNames: [clusterOf('reviews')] });
    await until(() => client.responses.length === 1);
    const { nonce } = client.responses[0]!;
    client.call.write({
      typeUrl: EDS,
      responseNonce: nonce,
      resourceNames: [clusterOf('reviews'), clusterOf('ratings')],
    });
    await until(() => client.responses.length === 2);
    expect(client.responses[1]!.resources).toHaveLength(1);
  });
});

describe('bad clients', () => {
  it('without a node are refused with a reason, and the others are served on', async () => {
    const good = delta();
    good.call.write({ node, typeUrl: CDS });
    await until(() => good.responses.length === 1);
    const bad = delta();
    bad.call.write({ typeUrl: CDS });
    await until(() => bad.ended !== undefined);
    expect(bad.ended).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'the first request must carry a node with an id',
    });
    const garbled = new ScriptedClient<Buffer, Buffer>(
      server.address,
      'DeltaAggregatedResources',
      (b) => b,
      (b) => b,
    );
    clients.push(garbled);
    garbled.call.write(Buffer.from([0xff, 0xff]));
    await until(() => garbled.ended !== undefined);
    good.call.write({ typeUrl: LDS });
    await until(() => good.responses.length === 2);
    expect(server.status().clients).toHaveLength(1);
  });

  it('asking for a type that nobody has are answered at once with nothing', async () => {
    const client = delta();
    client.call.write({
      node,
      typeUrl: 'type.googleapis.com/envoy.service.runtime.v3.Runtime',
      resourceNamesSubscribe: ['x'],
    });
    await until(() => client.responses.length === 1);
    expect(client.responses[0]?.removedResources).toEqual(['x']);
  });
});

it('an Envoy with its own node id is the workload that its metadata names, or the default one', async () => {
  await server.close();
  server = await startFeedServer({ source, defaultMetadata: { NAMESPACE: 'shop', LABELS: { app: 'reviews' } } });
  const client = delta();
  client.call.write({ node: { id: 'front-envoy-7', cluster: 'edge' }, typeUrl: LDS });
  await until(() => client.responses.length === 1);
  expect(names(client.responses[0])).toContain('virtualInbound');
});
