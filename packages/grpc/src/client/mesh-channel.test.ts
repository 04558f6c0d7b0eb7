import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer as createNetServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import type { HttpFilter } from '../../../core/src/filters/http-filter.js';
import { retryPlan } from '../../../core/src/outbound/testing/snapshot-fixture.js';
import {
  caller,
  clientId,
  echo,
  failingTimes,
  replyWith,
  serve,
  serverId,
  text,
} from '../../../../test/support/grpc-meshes.js';
import { meshCallInfo } from '../index.js';

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

test('an answer arrives in the async context of its own caller, whoever else’s timer woke its retry', async () => {
  const server = await serve(failingTimes(6, status.UNAVAILABLE).implementation);
  const limits = { maxConnections: 9, maxPendingRequests: 9, maxRequests: 9, maxRetries: 9 };
  const action = { retry: retryPlan({ grpcCodes: [14] }, { numRetries: 9 }) };
  const { client } = caller([server.address], { action, cluster: { limits } });
  const request = new AsyncLocalStorage<number>();
  const contextOf = (i: number) =>
    new Promise((resolve) => {
      request.run(i, () =>
        client.makeUnaryRequest(echo.Say.path, text.serialize, text.deserialize, 'hi', (error) =>
          resolve(error ?? request.getStore()),
        ),
      );
    });
  expect(await Promise.all([0, 1, 2, 3, 4, 5].map(contextOf))).toEqual([0, 1, 2, 3, 4, 5]);
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
  await expect.poll(() => silent.records.length).toBe(2);
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
