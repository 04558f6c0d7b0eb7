import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import {
  CLUSTER_TYPE_URL as CDS,
  ClusterSchema,
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
  type FeedConnection,
  type FeedState,
  type FeedUpdate,
  type RejectedResource,
  create,
  fromBinary,
  packAny,
  toBinary,
} from '@heddle/xds';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { testAuthority } from '../../testing/test-certificates.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { MeshError } from '../../errors.js';
import { adsFeed, type AdsFeedOptions } from './ads-feed.js';

const node = {
  id: 'sidecar~127.0.0.1~a.default~x',
  cluster: 'a',
  locality: { region: '', zone: '', subZone: '' },
  metadata: { NAMESPACE: 'default' },
};

type DeltaCall = ServerDuplexStream<DeltaDiscoveryRequest, Buffer>;
type SotwCall = ServerDuplexStream<DiscoveryRequest, Buffer>;

/** An ADS server that a test speaks for. */
class ScriptedServer {
  readonly deltaRequests: DeltaDiscoveryRequest[] = [];
  readonly sotwRequests: DiscoveryRequest[] = [];
  readonly calls: (DeltaCall | SotwCall)[] = [];
  noDelta = false;
  #server = new Server();
  port = 0;

  async start(port = 0, serverCredentials = ServerCredentials.createInsecure()): Promise<void> {
    this.#server = new Server();
    const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
    const bytes = {
      requestStream: true,
      responseStream: true,
      responseSerialize: (b: Buffer) => b,
      responseDeserialize: (b: Buffer) => b,
    } as const;
    this.#server.addService(
      {
        delta: {
          ...bytes,
          path: `${service}/DeltaAggregatedResources`,
          requestSerialize: (m: DeltaDiscoveryRequest) => Buffer.from(toBinary(DeltaDiscoveryRequestSchema, m)),
          requestDeserialize: (b: Buffer) => fromBinary(DeltaDiscoveryRequestSchema, b),
        },
        sotw: {
          ...bytes,
          path: `${service}/StreamAggregatedResources`,
          requestSerialize: (m: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, m)),
          requestDeserialize: (b: Buffer) => fromBinary(DiscoveryRequestSchema, b),
        },
      },
      {
        delta: (call: DeltaCall) => {
          if (this.noDelta) return call.emit('error', { code: status.UNIMPLEMENTED, details: 'no delta here' });
          this.calls.push(call);
          call.on('error', () => undefined);
          return call.on('data', (request: DeltaDiscoveryRequest) => this.deltaRequests.push(request));
        },
        sotw: (call: SotwCall) => {
          this.calls.push(call);
          call.on('error', () => undefined);
          call.on('data', (request: DiscoveryRequest) => this.sotwRequests.push(request));
        },
      },
    );
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, serverCredentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  sendClusters(nonce: string, names: string[], versionInfo = '1'): void {
    const resources = names.map((name) => ({ name, version: versionInfo, resource: packAny(ClusterSchema, { name }) }));
    this.calls
      .at(-1)!
      .write(
        Buffer.from(
          toBinary(
            DeltaDiscoveryResponseSchema,
            create(DeltaDiscoveryResponseSchema, { typeUrl: CDS, nonce, systemVersionInfo: versionInfo, resources }),
          ),
        ),
      );
  }
}

let server: ScriptedServer;
let clock: VirtualClock;
let connection: FeedConnection | undefined;
let states: FeedState[];
let updates: FeedUpdate[];
let decide: () => readonly RejectedResource[] | Promise<readonly RejectedResource[]>;

function open(options: Partial<AdsFeedOptions> = {}): void {
  const feed = adsFeed({ url: `xds://127.0.0.1:${server.port}`, clock, draws: () => 0.5, ...options });
  connection = feed.open(node, {
    onUpdate: (update) => {
      updates.push(update);
      return decide();
    },
    onMissing: () => undefined,
    onState: (state) => states.push(state),
  });
  connection.subscribe(CDS, '*');
}

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });
const phase = () => states.at(-1)?.phase;

beforeEach(async () => {
  server = new ScriptedServer();
  clock = new VirtualClock();
  states = [];
  updates = [];
  decide = () => [];
  await server.start();
});
afterEach(() => {
  connection?.close();
  server.stop();
  expect(clock.pendingTimers).toBe(0);
});

it('connects, delivers, acknowledges', async () => {
  open();
  await until(() => server.deltaRequests.length === 1);
  expect(server.deltaRequests[0]?.node).toMatchObject({
    id: node.id,
    metadata: { NAMESPACE: 'default' },
    userAgentName: 'heddle',
  });
  server.sendClusters('n1', ['a', 'b']);
  await until(() => server.deltaRequests.length === 2);
  expect(server.deltaRequests[1]).toMatchObject({ responseNonce: 'n1' });
  expect(server.deltaRequests[1]?.errorDetail).toBeUndefined();
  expect(updates[0]?.resources.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(states.map((state) => state.phase)).toEqual(['connecting', 'connected']);
});

it('comes back after a restart of the server with what is in force, backing off while it is away', async () => {
  open();
  await until(() => server.deltaRequests.length === 1);
  server.sendClusters('n1', ['a'], '17');
  await until(() => server.deltaRequests.length === 2);
  server.stop();
  await until(() => phase() === 'disconnected');
  expect(states.at(-1)).toMatchObject({ retryInMs: 250 });
  const again = () => {
    const before = states.length;
    const last = states.at(-1);
    clock.advance(last?.phase === 'disconnected' ? last.retryInMs : 0);
    return until(() => states.length >= before + 2);
  };
  await again();
  expect(states.at(-1)).toMatchObject({ phase: 'disconnected', retryInMs: 500 });
  await again();
  expect(states.at(-1)).toMatchObject({ phase: 'disconnected', retryInMs: 1000 });
  await server.start(server.port);
  clock.advance(1000);
  await until(() => server.deltaRequests.length === 3);
  expect(server.deltaRequests[2]).toMatchObject({ initialResourceVersions: { a: '17' }, node: { id: node.id } });
  server.sendClusters('n1', ['a'], '1');
  await until(() => server.deltaRequests.length === 4);
  expect(updates[1]?.resources[0]?.version).toBe(updates[0]?.resources[0]?.version);
});

it('falls back to state of the world when the server has no delta', async () => {
  server.noDelta = true;
  open();
  await until(() => server.sotwRequests.length === 1);
  const response = create(DiscoveryResponseSchema, {
    typeUrl: CDS,
    nonce: 'n1',
    versionInfo: '5',
    resources: [packAny(ClusterSchema, { name: 'a' })],
  });
  server.calls.at(-1)!.write(Buffer.from(toBinary(DiscoveryResponseSchema, response)));
  await until(() => server.sotwRequests.length === 2);
  expect(server.sotwRequests[1]).toMatchObject({ versionInfo: '5', responseNonce: 'n1' });
  expect(updates[0]?.kind).toBe('full');
});

it('hands over nothing more while the mesh is still busy with an update', async () => {
  open();
  await until(() => server.deltaRequests.length === 1);
  let finish: (rejected: readonly RejectedResource[]) => void = () => undefined;
  decide = () => new Promise((resolve) => (finish = resolve));
  server.sendClusters('n1', ['a']);
  server.sendClusters('n2', ['b']);
  await until(() => updates.length === 1);
  decide = () => [];
  finish([]);
  await until(() => server.deltaRequests.length === 3);
  expect(server.deltaRequests.slice(1).map(({ responseNonce }) => responseNonce)).toEqual(['n1', 'n2']);
  expect(updates.map(({ resources }) => resources[0]?.name)).toEqual(['a', 'b']);
});

it('survives a response that is no protobuf and one that is too large: the stream ends and is opened anew', async () => {
  open({ maxMessageBytes: 10_000 });
  await until(() => server.calls.length === 1);
  server.calls[0]!.write(Buffer.from([0xff, 0xff, 0xff]));
  await until(() => phase() === 'disconnected');
  clock.advance(1000);
  await until(() => server.calls.length === 2);
  server.calls[1]!.write(Buffer.alloc(20_000));
  await until(() => phase() === 'disconnected');
  expect(states.at(-1)).toMatchObject({ reason: expect.stringMatching(/RESOURCE_EXHAUSTED/) });
  expect(updates).toEqual([]);
});

it('gives a server up that accepts and never answers', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  open({ url: `xds://127.0.0.1:${port}` });
  await until(() => sockets.length === 1);
  clock.advance(30_000);
  expect(states.at(-1)).toMatchObject({ phase: 'disconnected', reason: 'nothing arrived within 30000 ms' });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

it('says which token file it cannot read, and does not connect without it', async () => {
  open({ url: `xdss://127.0.0.1:${server.port}`, tokenFile: '/nonexistent/token' });
  await until(() => phase() === 'disconnected');
  expect(states.at(-1)).toMatchObject({ reason: expect.stringContaining('/nonexistent/token') });
  expect(server.calls).toEqual([]);
});

it('refuses a malformed address at once', () => {
  for (const url of ['', 'http://a:1', 'xds://', 'xds://host:1/path', 'xds://host:99999']) {
    expect(() => adsFeed({ url })).toThrow(MeshError);
  }
  expect(adsFeed({ url: 'xdss://istiod.istio-system.svc' }).name).toBe('xdss://istiod.istio-system.svc');
});

it('sends the token of the moment over TLS, read anew for every connection, and takes no other server than its roots vouch for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-ads-'));
  const authority = testAuthority('cluster.local');
  const certificate = authority.issue({ spiffeId: 'spiffe://cluster.local/ns/x/sa/feed', dnsNames: ['feed.test'] });
  const [rootCertFile, foreignRoots, tokenFile] = ['root.pem', 'foreign.pem', 'token'].map((name) =>
    join(folder, name),
  );
  writeFileSync(rootCertFile!, authority.rootPem);
  writeFileSync(foreignRoots!, testAuthority('cluster.local').rootPem);
  writeFileSync(tokenFile!, 'first\n');
  server.stop();
  const pair = {
    cert_chain: Buffer.from(certificate.certificateChainPem),
    private_key: Buffer.from(certificate.privateKeyPem),
  };
  await server.start(0, ServerCredentials.createSsl(null, [pair]));
  const options = { url: `xdss://127.0.0.1:${server.port}`, tokenFile: tokenFile!, serverName: 'feed.test' };
  open({ ...options, rootCertFile: foreignRoots! });
  await until(() => phase() === 'disconnected');
  expect(server.calls).toEqual([]);
  connection?.close();
  open({ ...options, rootCertFile: rootCertFile! });
  await until(() => server.deltaRequests.length === 1);
  const tokenOf = (call: DeltaCall | SotwCall | undefined) => call?.metadata.get('authorization');
  expect(tokenOf(server.calls[0])).toEqual(['Bearer first']);
  writeFileSync(tokenFile!, 'second\n');
  server.calls[0]!.end();
  await until(() => phase() === 'disconnected');
  clock.advance(1000);
  await until(() => server.calls.length === 2);
  expect(tokenOf(server.calls[1])).toEqual(['Bearer second']);
  rmSync(folder, { recursive: true });
});

it('never sends a token in plain text', async () => {
  open({ tokenFile: '/nonexistent/token' });
  await until(() => server.deltaRequests.length === 1);
  expect(server.calls[0]!.metadata.get('authorization')).toEqual([]);
});
