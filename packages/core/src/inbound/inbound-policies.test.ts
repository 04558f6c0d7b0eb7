// Policies on requests through a real server: filters in order, delays, replies, upgrades.
import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { type Socket, connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  FAULT_TYPE_URL,
  HTTPFaultSchema,
  HttpRbacSchema,
  LOCAL_RATE_LIMIT_TYPE_URL,
  LocalRateLimitSchema,
  RBAC_TYPE_URL,
  fromJson,
  packAny,
  type DescMessage,
  type JsonValue,
} from '@heddle/xds';
import type { FilterKind, HttpFilter } from '../filters/http-filter.js';
import { httpFilterKinds } from '../filters/registry.js';
import { filterBuild } from '../testing/inbound-fixtures.js';
import { VirtualClock } from '../testing/virtual-clock.js';
import { InboundRig, call, raw } from '../testing/inbound-rig.js';

const rig = new InboundRig();
const { serveFiltered: serve, filtering: serverOf } = rig;
afterEach(() => rig.close());

function compile(typeUrl: string, schema: DescMessage, json: JsonValue): HttpFilter {
  const kind = httpFilterKinds.find((one: FilterKind) => one.typeUrl === typeUrl);
  const filter = kind?.compile(
    packAny(schema, fromJson(schema, json) as never),
    undefined,
    filterBuild({ clock: new VirtualClock() }),
  );
  if (filter === undefined) throw new Error(`nothing compiled for ${typeUrl}`);
  return filter;
}

const denyAdmin = (): HttpFilter =>
  compile(RBAC_TYPE_URL, HttpRbacSchema, {
    rules: {
      action: 'DENY',
      policies: {
        'no admin': { permissions: [{ urlPath: { path: { prefix: '/admin' } } }], principals: [{ any: true }] },
      },
    },
  });

const fault = (json: JsonValue): HttpFilter => compile(FAULT_TYPE_URL, HTTPFaultSchema, json);
const echoPath: RequestListener = (request, response) => response.end(request.url);

describe('policies', () => {
  test('a denied request gets Envoy’s 403 and never reaches the application', async () => {
    const { port, finished } = await serve(echoPath, [denyAdmin()]);
    const answer = await call(port, '/admin');
    expect(answer).toMatchObject({ status: 403, body: 'RBAC: access denied' });
    expect(await finished(1)).toMatchObject({
      status: 403,
      flags: '',
      details: 'rbac_access_denied_matched_policy[no_admin]',
      reporter: 'destination',
      path: '/admin',
    });
  });

  test('a denied gRPC call gets a trailers-only answer with status 7', async () => {
    const { port, finished } = await serve(echoPath, [denyAdmin()]);
    const answer = await call(port, '/admin.Service/Get', { 'content-type': 'application/grpc+proto' }, 'POST');
    expect(answer).toMatchObject({ status: 200, headers: { 'grpc-status': '7', 'content-type': 'application/grpc' } });
    expect(await finished(1)).toMatchObject({ grpcStatus: 7 });
  });

  test.each(['//admin', '/x/../admin', '/x/%2e%2E/admin', '/%61dmin', '/x\\..\\admin', '/./admin'])(
    'a DENY rule for /admin can’t be passed with %s',
    async (path) => {
      const { port } = await serve(echoPath, [denyAdmin()], { mergeSlashes: true });
      expect(await raw(port, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)).toContain(
        '403 Forbidden',
      );
    },
  );

  test('the application sees the path that the policies saw', async () => {
    const { port } = await serve(echoPath);
    expect((await call(port, '/a/./b/../c?x=/../y')).body).toBe('/a/c?x=/../y');
  });

  test('the 101st call of a minute gets 429 with Retry-After, and the window refills', async () => {
    const bucket = { maxTokens: 100, tokensPerFill: 100, fillInterval: '60s' };
    const limit = compile(LOCAL_RATE_LIMIT_TYPE_URL, LocalRateLimitSchema, {
      statPrefix: 'limit',
      tokenBucket: bucket,
    });
    const { port, finished, clock } = await serve(echoPath, [limit]);
    for (let i = 0; i < 100; i++) expect((await call(port)).status).toBe(200);
    const refused = await call(port);
    expect(refused).toMatchObject({
      status: 429,
      body: 'local_rate_limited',
      headers: {
        'retry-after': '1',
        'x-ratelimit-limit': '100',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': '1',
      },
    });
    expect(await finished(101)).toMatchObject({ status: 429, flags: 'RL' });
    clock.advance(600);
    expect((await call(port)).status).toBe(200);
  });

  test('filters run in the order of the chain and the first reply wins', async () => {
    const abort = fault({ abort: { httpStatus: 503, percentage: { numerator: 100 } } });
    const { port } = await serve(echoPath, [abort, denyAdmin()]);
    expect(await call(port, '/admin')).toMatchObject({ status: 503, body: 'fault filter abort' });
  });

  test('a delay holds the request for its time, then aborts it', async () => {
    const filter = fault({
      delay: { fixedDelay: '2s', percentage: { numerator: 100 } },
      abort: { httpStatus: 555, percentage: { numerator: 100 } },
    });
    const { port, clock, finished, server } = await serve(echoPath, [filter]);
    const answer = call(port);
    const seen = until(() => server.activeRequests === 1);
    await seen;
    clock.advance(1_999);
    expect(server.activeRequests).toBe(1);
    clock.advance(1);
    expect((await answer).status).toBe(555);
    expect(await finished(1)).toMatchObject({ flags: 'DI,FI', startMs: 0, endMs: 2_000 });
  });

  test('a caller that goes away during a delay leaves no timer and an honest record', async () => {
    const filter = fault({ delay: { fixedDelay: '60s', percentage: { numerator: 100 } } });
    const { port, clock, finished, server } = await serve(echoPath, [filter]);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await until(() => server.activeRequests === 1);
    socket.destroy();
    expect(await finished(1)).toMatchObject({ status: 0, flags: 'DI,DC' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('a filter whose decision fails refuses the request', async () => {
    const broken: HttpFilter = {
      name: 'pending',
      typeUrl: '',
      decide: () => ({ kind: 'pending', result: Promise.reject(new Error('JWKS unreachable')) }),
      explain: () => ({ verdict: 'info', reason: '' }),
    };
    const { port, events } = await serve(echoPath, [broken]);
    expect((await call(port)).status).toBe(500);
    expect(events).toMatchObject([{ kind: 'application-error' }]);
  });

  test('a pending decision that amends lets the request on with its headers', async () => {
    const amend = {
      kind: 'amend',
      setRequestHeaders: [['x-user', 'jason']],
      removeRequestHeaders: ['authorization'],
      setResponseHeaders: [['x-checked', 'yes']],
      dynamicMetadata: undefined,
    } as const;
    const later: HttpFilter = {
      name: 'later',
      typeUrl: '',
      decide: () => ({ kind: 'pending', result: Promise.resolve(amend) }),
      explain: () => ({ verdict: 'info', reason: '' }),
    };
    const echo: RequestListener = (request, response) =>
      response.end(JSON.stringify([request.headers, request.rawHeaders, request.headersDistinct]));
    const { port } = await serve(echo, [later]);
    const answer = await call(port, '/', { authorization: 'secret', 'x-user': 'mallory' });
    expect(answer.headers['x-checked']).toBe('yes');
    expect(answer.body).not.toContain('secret');
    expect(answer.body).not.toContain('mallory');
    expect(answer.body).toContain('jason');
  });

  test('no route is a 404 with flag NR', async () => {
    const { port, finished } = await serve(echoPath, [], { filtersFor: () => undefined });
    expect((await call(port)).status).toBe(404);
    expect(await finished(1)).toMatchObject({ flags: 'NR', details: 'route_not_found' });
  });

  test('an upgrade is refused by policy before the application’s upgrade listener', async () => {
    const { server, finished } = serverOf([denyAdmin()]);
    const http = server.createServer();
    let upgraded = 0;
    http.on('upgrade', (_, socket: Socket) => {
      upgraded++;
      socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n');
    });
    const port = await listening(http);
    const head = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n`;
    expect(await raw(port, head('/admin'))).toContain('403 Forbidden');
    expect(upgraded).toBe(0);
    expect(await raw(port, head('/chat'))).toContain('101 Switching');
    expect(upgraded).toBe(1);
    expect(await finished(2)).toMatchObject({ status: 101, path: '/chat' });
    expect(server.activeRequests).toBe(0);
  });
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Takes turns of the event loop until the condition holds; the test's own time limit ends a hopeless wait. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
