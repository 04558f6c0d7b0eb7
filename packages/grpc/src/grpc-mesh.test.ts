// Real grpc-js clients and servers through two hand-made meshes: one calls, one serves.
import { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
import type { ServiceDefinition, ServiceError, UntypedServiceImplementation } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer as createNetServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../core/src/clock.js';
import { ClusterStates } from '../../core/src/cluster-state/cluster-states.js';
import type { HttpFilter } from '../../core/src/filters/http-filter.js';
import { InboundServer } from '../../core/src/inbound/inbound-server.js';
import { OutboundClient } from '../../core/src/outbound/outbound-client.js';
import { cluster, retryPlan, route, snapshot } from '../../core/src/outbound/testing/snapshot-fixture.js';
import type { ClusterSnapshot, UpstreamTls } from '../../core/src/snapshot/cluster-snapshot.js';
import type { ForwardAction } from '../../core/src/snapshot/route-snapshot.js';
import type { Snapshot } from '../../core/src/snapshot/snapshot.js';
import type { CallRecord } from '../../core/src/telemetry/call-record.js';
import { createTelemetry } from '../../core/src/telemetry/create-telemetry.js';
import { denyPrefix } from '../../core/src/testing/adapter-mesh.js';
import { inboundHttp, inboundSnapshot, snapshotOf, testWorkload } from '../../core/src/testing/inbound-fixtures.js';
import type { TlsMode } from '../../core/src/testing/inbound-fixtures.js';
import { testAuthority } from '../../core/src/testing/test-certificates.js';
import { bindGrpc, meshCallInfo, meshChannel } from './index.js';
import type { ChannelOptions, MeshHandle } from './index.js';

const text = { serialize: (value: string) => Buffer.from(value), deserialize: (bytes: Buffer) => bytes.toString() };
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: text.serialize,
  requestDeserialize: text.deserialize,
  responseSerialize: text.serialize,
  responseDeserialize: text.deserialize,
});
const echo = {
  Say: method('Say', false, false),
  Count: method('Count', false, true),
  Join: method('Join', true, false),
  Chat: method('Chat', true, true),
} satisfies ServiceDefinition;

const authority = testAuthority('cluster.local');
const clientId = 'spiffe://cluster.local/ns/default/sa/reviews';
const serverId = 'spiffe://cluster.local/ns/default/sa/ratings';
const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A mesh made of real parts around a snapshot; `records` are what it reported. */
function mesh(current: Snapshot, id: string) {
  const records: CallRecord[] = [];
  const workload = testWorkload(authority, id);
  const node = {
    workload: 'w',
    namespace: 'default',
    labels: {},
    serviceAccount: 'sa',
    clusterId: 'c',
    trustDomain: 'cluster.local',
  };
  const telemetry = createTelemetry({ node, ownPrincipal: () => id, clock: systemClock, draws: () => 0.5 });
  for (const side of [telemetry.outbound, telemetry.inbound]) {
    const finish = side.finish.bind(side);
    side.finish = (record) => (records.push(record), finish(record));
  }
  const parts = { snapshot: () => current, clock: systemClock, draws: () => 0.5, security: workload.security };
  const states = new ClusterStates(systemClock, () => 0.5);
  const outbound = new OutboundClient({ ...parts, states, telemetry: telemetry.outbound });
  const inbound = new InboundServer({ ...parts, telemetry: telemetry.inbound });
  const closers = new Set<(drainMs: number) => Promise<void>>();
  const onClose = (close: (drainMs: number) => Promise<void>) => {
    closers.add(close);
    return () => closers.delete(close);
  };
  const internals = { ...parts, states, outbound, inbound, telemetry, onClose, settings: { drainMs: 1000 } };
  const close = async (drainMs: number) => {
    await Promise.all([...closers].map((closer) => closer(drainMs)));
    await outbound.close({ drainMs });
    await inbound.drain(drainMs);
    workload.close();
  };
  ends.push(() => close(0));
  return {
    handle: { internals } as unknown as MeshHandle,
    records,
    rotate: workload.rotate,
    security: workload.security,
    close,
  };
}

async function serve(
  implementation: UntypedServiceImplementation,
  filters: readonly HttpFilter[] = [],
  mode: TlsMode = 'strict',
) {
  const serving = mesh(snapshotOf(inboundSnapshot(mode, { http: inboundHttp(filters) })), serverId);
  const server = new Server();
  const definition = Object.fromEntries(Object.entries(echo).filter(([name]) => name in implementation));
  server.addService(definition, implementation);
  ends.push(() => server.forceShutdown());
  const listener = await bindGrpc(serving.handle, server, 0, '127.0.0.1');
  return { ...serving, listener, address: `127.0.0.1:${listener.port}` };
}

const mutual: UpstreamTls = {
  presentsCertificate: true,
  certificateSource: { kind: 'identity' },
  rootSource: { kind: 'identity' },
  serverName: 'outbound_.9080_._.ratings.default.svc.cluster.local',
  alpnProtocols: ['istio'],
  sans: [{ type: 'uri', matches: (san) => san === serverId, text: serverId }],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'ratings',
};

interface CallerOptions {
  readonly action?: Partial<ForwardAction>;
  readonly filters?: readonly HttpFilter[];
  readonly tls?: UpstreamTls | undefined;
  readonly cluster?: Partial<ClusterSnapshot>;
  readonly channel?: ChannelOptions;
}

/** A client of the mesh; `tls: undefined` calls in plain text. */
function caller(addresses: readonly string[], options: CallerOptions = {}) {
  const tls = 'tls' in options ? options.tls : mutual;
  const upstream = cluster('upstream', addresses, { http2: true, tlsFor: () => tls, ...options.cluster });
  const calling = mesh(
    snapshot([upstream], () => route(options.action ?? {}, { filters: options.filters ?? [] })),
    clientId,
  );
  const channelOverride = meshChannel(calling.handle, 'ratings:9080', options.channel);
  const client = new Client('ratings:9080', credentials.createInsecure(), { channelOverride });
  const say = (message: string, metadata = new Metadata(), deadlineMs?: number) =>
    new Promise<string>((resolve, reject) => {
      const call = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
      client.makeUnaryRequest(
        echo.Say.path,
        text.serialize,
        text.deserialize,
        message,
        metadata,
        call,
        (error, reply) => (error ? reject(error) : resolve(reply ?? '')),
      );
    });
  return { ...calling, client, say };
}

const replyWith: UntypedServiceImplementation = {
  Say: (call: { request: string }, done: (error: unknown, reply?: string) => void) =>
    done(null, `echo ${call.request}`),
};
const failingTimes = (times: number, code: status) => {
  let left = times;
  let calls = 0;
  const Say = (call: { request: string }, done: (error: unknown, reply?: string) => void) => {
    calls++;
    if (left-- > 0) done({ code, details: 'not now' });
    else done(null, `echo ${call.request}`);
  };
  return { implementation: { Say } as UntypedServiceImplementation, calls: () => calls };
};

test('a unary call goes over mutual TLS, and each side knows the other by its certificate', async () => {
  let peer: string | undefined;
  const server = await serve({
    Say(call: Parameters<typeof meshCallInfo>[0] & { request: string }, done: (error: null, reply: string) => void) {
      peer = meshCallInfo(call)?.peer?.spiffeId;
      done(null, `echo ${call.request}`);
    },
  });
  const { say, records } = caller([server.address]);
  expect(await say('hi')).toBe('echo hi');
  expect(peer).toBe(clientId);
  expect(records).toMatchObject([
    { protocol: 'grpc', grpcStatus: 0, attempts: 1, peerPrincipal: serverId, cluster: 'upstream' },
  ]);
  expect(server.records).toMatchObject([
    { protocol: 'grpc', grpcStatus: 0, peerPrincipal: clientId, mutualTls: true, path: '/test.Echo/Say' },
  ]);
});

test('server, client and two-way streams arrive in order, in plain text too', async () => {
  const server = await serve(
    {
      Count(call: { request: string; write(value: string): void; end(): void }) {
        for (let i = 0; i < Number(call.request); i++) call.write(String(i));
        call.end();
      },
      Join(call: AsyncIterable<string>, done: (error: null, reply: string) => void) {
        void (async () => {
          let joined = '';
          for await (const part of call) joined += part;
          done(null, joined);
        })();
      },
      Chat(call: AsyncIterable<string> & { write(value: string): void; end(): void }) {
        void (async () => {
          for await (const part of call) call.write(part.toUpperCase());
          call.end();
        })();
      },
    },
    [],
    'permissive',
  );
  const { client } = caller([server.address], { tls: undefined });
  const { serialize, deserialize } = text;
  const counted: string[] = [];
  for await (const part of client.makeServerStreamRequest(echo.Count.path, serialize, deserialize, '300'))
    counted.push(part as string);
  expect(counted).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
  const big = 'x'.repeat(300_000);
  const joined = await new Promise<string>((resolve, reject) => {
    const call = client.makeClientStreamRequest(echo.Join.path, serialize, deserialize, (error, reply) =>
      error ? reject(error) : resolve(reply ?? ''),
    );
    for (let i = 0; i < 8; i++) call.write(`${i}${big}`);
    call.end();
  });
  expect(joined).toBe(Array.from({ length: 8 }, (_, i) => `${i}${big}`).join(''));
  const chat = client.makeBidiStreamRequest(echo.Chat.path, serialize, deserialize);
  const heard: string[] = [];
  chat.on('data', (part: string) => {
    heard.push(part);
    if (heard.length < 3) chat.write(`word ${heard.length}`);
    else chat.end();
  });
  chat.write('word 0');
  await once(chat, 'end');
  expect(heard).toEqual(['WORD 0', 'WORD 1', 'WORD 2']);
});

test('a call that policy denies is answered with 7 and never reaches its handler', async () => {
  const counter = failingTimes(0, status.OK);
  const server = await serve(counter.implementation, [denyPrefix('/test.Echo/Say')]);
  const { say } = caller([server.address]);
  await expect(say('hi')).rejects.toMatchObject({ code: status.PERMISSION_DENIED, details: 'RBAC: access denied' });
  expect(counter.calls()).toBe(0);
  expect(server.records).toMatchObject([{ grpcStatus: 7, details: 'rbac_access_denied_matched_policy[test]' }]);
});

test('a plain caller of a strict server gets no connection, and one of another identity than expected is not called', async () => {
  const counter = failingTimes(0, status.OK);
  const server = await serve(counter.implementation);
  const plain = caller([server.address], { tls: undefined });
  await expect(plain.say('hi')).rejects.toMatchObject({ code: status.UNAVAILABLE });
  const wrong = caller([server.address], {
    tls: { ...mutual, key: 'other', sans: [{ type: 'uri', matches: () => false, text: 'nobody' }] },
  });
  await expect(wrong.say('hi')).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(wrong.records).toMatchObject([{ flags: 'UF' }]);
  expect(counter.calls()).toBe(0);
});

test('a status that the route retries on is healed by another attempt, others are passed on with their details', async () => {
  const counter = failingTimes(2, status.UNAVAILABLE);
  const server = await serve(counter.implementation);
  const healed = caller([server.address], { action: { retry: retryPlan({ grpcCodes: [14] }) } });
  expect(await healed.say('hi')).toBe('echo hi');
  expect(healed.records).toMatchObject([{ attempts: 3, grpcStatus: 0 }]);
  const failing = await serve(failingTimes(9, status.NOT_FOUND).implementation);
  const told = caller([failing.address], { action: { retry: retryPlan({ grpcCodes: [14] }) } });
  await expect(told.say('hi')).rejects.toMatchObject({ code: status.NOT_FOUND, details: 'not now' });
  expect(told.records).toMatchObject([{ attempts: 1, grpcStatus: 5 }]);
});

test('a dead endpoint costs a retry elsewhere, which any method may have', async () => {
  const dead = createNetServer().listen(0, '127.0.0.1');
  await once(dead, 'listening');
  const { port } = dead.address() as AddressInfo;
  await new Promise((resolve) => dead.close(resolve));
  const server = await serve(replyWith);
  const { say, records } = caller([`127.0.0.1:${port}`, server.address], {
    action: { retry: retryPlan({ connectFailure: true }) },
  });
  expect(await Promise.all([say('a'), say('b')])).toEqual(['echo a', 'echo b']);
  expect(records.map(({ attempts }) => attempts).sort()).toEqual([1, 2]);
});

test('timeouts: the route’s and the client’s own both end a call with 4', async () => {
  const silent = await serve({ Say: () => undefined });
  const byRoute = caller([silent.address], { action: { timeoutMs: 60 } });
  await expect(byRoute.say('hi')).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  // Told by whoever is first: the mesh, or the server, which got the same deadline.
  expect(byRoute.records).toMatchObject([{ grpcStatus: 4 }]);
  const byClient = caller([silent.address]);
  await expect(byClient.say('hi', new Metadata(), 60)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  expect(silent.records.length).toBe(2);
});

test('trace, request id and deadline of an inbound call go on to the calls made for it', async () => {
  const seen: Metadata[] = [];
  let leftMs = 0;
  const last = await serve({
    Say(
      call: { metadata: Metadata; request: string; getDeadline(): number },
      done: (error: null, reply: string) => void,
    ) {
      seen.push(call.metadata);
      leftMs = Number(call.getDeadline()) - Date.now();
      done(null, 'end');
    },
  });
  // One mesh both serves and calls, as a service does.
  const upstream = cluster('upstream', [last.address], { http2: true, tlsFor: () => mutual });
  const both = { ...snapshot([upstream], () => route({})), inbound: inboundSnapshot('strict') };
  const middle = mesh(both, serverId);
  const onward = new Client('ratings:9080', credentials.createInsecure(), {
    channelOverride: meshChannel(middle.handle, 'ratings:9080'),
  });
  const server = new Server();
  server.addService(
    { Say: echo.Say },
    {
      Say(_call: unknown, done: (error: ServiceError | null, reply?: string) => void) {
        onward.makeUnaryRequest(echo.Say.path, text.serialize, text.deserialize, 'on', done);
      },
    },
  );
  const { port } = await bindGrpc(middle.handle, server, 0, '127.0.0.1');
  const metadata = new Metadata();
  metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
  metadata.set('x-request-id', 'request-1');
  expect(await caller([`127.0.0.1:${port}`]).say('hi', metadata, 5000)).toBe('end');
  expect(seen[0]?.get('traceparent')[0]).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
  expect(seen[0]?.get('x-request-id')).toEqual(['request-1']);
  expect(leftMs).toBeGreaterThan(1000);
  expect(leftMs).toBeLessThanOrEqual(5000);
});

test('overload is 14: beyond the request limit calls fail at once, the others are served', async () => {
  const waiting: (() => void)[] = [];
  const server = await serve({
    Say: (_call: unknown, done: (error: null, reply: string) => void) => void waiting.push(() => done(null, 'late')),
  });
  const limits = { maxConnections: 1, maxPendingRequests: 1, maxRequests: 2, maxRetries: 1 };
  const { say } = caller([server.address], { cluster: { limits } });
  const calls = Array.from({ length: 5 }, () => say('hi').catch((error: unknown) => (error as ServiceError).code));
  await expect.poll(() => waiting.length).toBe(2);
  waiting.forEach((answer) => answer());
  expect((await Promise.all(calls)).sort()).toEqual([14, 14, 14, 'late', 'late']);
});

test('a configured fault is told with the gRPC status that it names', async () => {
  const fault: HttpFilter = {
    name: 'envoy.filters.http.fault',
    typeUrl: '',
    decide: () => ({
      kind: 'reply',
      code: 'FAULT_ABORT',
      status: 503,
      grpcStatus: 8,
      headers: [],
      body: 'fault filter abort',
      flag: 'FI',
      details: 'fault_filter_abort',
      policy: undefined,
    }),
    explain: () => ({ verdict: 'info', reason: '' }),
  };
  const { say, records } = caller(['127.0.0.1:1'], { filters: [fault] });
  await expect(say('hi')).rejects.toMatchObject({ code: 8, details: 'fault filter abort' });
  expect(records).toMatchObject([{ flags: 'FI', attempts: 0 }]);
});

test('certificates rotate on both sides under load without one failed call', async () => {
  const server = await serve(replyWith);
  const { say, rotate } = caller([server.address]);
  for (let round = 0; round < 10; round++) {
    const calls = Array.from({ length: 10 }, (_, i) => say(String(i)));
    if (round % 2 === 0) rotate();
    else server.rotate();
    expect(await Promise.all(calls)).toHaveLength(10);
  }
});

test('a mesh that closes lets calls in flight end and refuses new ones', async () => {
  const arrived = new Promise<() => void>((resolve) => {
    void serve({
      Say: (_call: unknown, done: (error: null, reply: string) => void) => resolve(() => done(null, 'done')),
    }).then(start);
  });
  let started:
    { say: (message: string) => Promise<string>; server: { close(drainMs: number): Promise<void> } } | undefined;
  let first: Promise<string> | undefined;
  function start(server: { address: string; listener: { close(drainMs: number): Promise<void> } }) {
    const { say } = caller([server.address]);
    started = { say, server: server.listener };
    first = say('hi');
  }
  const answer = await arrived;
  const closing = started!.server.close(5000);
  answer();
  expect(await first).toBe('done');
  await closing;
  await expect(started!.say('again')).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test('a caller that cancels ends the call on both sides', async () => {
  const { port1: told, port2: telling } = new MessageChannel();
  ends.push(() => told.close());
  const server = await serve({
    Count(call: NodeJS.EventEmitter & { write(value: string): void }) {
      call.once('cancelled', () => telling.postMessage('cancelled'));
      call.write('first');
    },
  });
  const { client, records } = caller([server.address]);
  const stream = client.makeServerStreamRequest(echo.Count.path, text.serialize, text.deserialize, '1');
  const failed = once(stream, 'error') as unknown as Promise<[ServiceError]>;
  stream.once('data', () => stream.cancel());
  const [, [error]] = await Promise.all([
    once(told, 'message'),
    failed.catch((reason: unknown) => [reason as ServiceError]),
  ]);
  expect(error?.code).toBe(status.CANCELLED);
  expect(records).toMatchObject([{ grpcStatus: 1 }]);
  expect(server.records).toMatchObject([{ grpcStatus: 1, flags: 'DC' }]);
});

test('a connection that the server took by itself is refused every call', async () => {
  const counter = failingTimes(0, status.OK);
  const serving = mesh(snapshotOf(inboundSnapshot('strict')), serverId);
  const server = new Server();
  server.addService({ Say: echo.Say }, counter.implementation);
  ends.push(() => server.forceShutdown());
  await bindGrpc(serving.handle, server, 0, '127.0.0.1');
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  ends.push(() => client.close());
  const code = await new Promise((resolve) =>
    client.makeUnaryRequest(echo.Say.path, text.serialize, text.deserialize, 'hi', (error) => resolve(error?.code)),
  );
  expect(code).toBe(status.PERMISSION_DENIED);
  expect(counter.calls()).toBe(0);
});
