import { once } from 'node:events';
import { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { cluster, route, snapshot } from '../../../core/src/outbound/testing/snapshot-fixture.js';
import { denyPrefix } from '../../../core/src/testing/adapter-mesh.js';
import { inboundSnapshot, snapshotOf } from '../../../core/src/testing/inbound-fixtures.js';
import {
  caller,
  echo,
  ends,
  failingTimes,
  mesh,
  mutual,
  replyWith,
  serve,
  serverId,
  text,
} from '../../../../test/support/grpc-meshes.js';
import type { Say } from '../../../../test/support/grpc-meshes.js';
import { bindGrpc, meshChannel } from '../index.js';

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

test('trace, request id and deadline of an inbound call go on to the calls made for it', async () => {
  const seen: Metadata[] = [];
  let leftMs = 0;
  const last = await serve({
    Say: ((call, done) => {
      seen.push(call.metadata);
      leftMs = Number(call.getDeadline()) - Date.now();
      done(null, 'end');
    }) as Say,
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
  expect(error.code).toBe(status.CANCELLED);
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
