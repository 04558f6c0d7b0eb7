// Requests through a real server: policies in order, hostile input, headers, deadlines, failures of the application, and the records left behind.
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, type Server, request as httpRequest } from 'node:http';
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
import type { InboundHttp } from '../snapshot/inbound-snapshot.js';
import {
  filterBuild,
  inboundHttp,
  inboundSnapshot,
  recordingTelemetry,
  snapshotOf,
  testWorkload,
} from '../testing/inbound-fixtures.js';
import { testAuthority } from '../testing/test-certificates.js';
import { VirtualClock } from '../testing/virtual-clock.js';
import type { InboundEvent } from './inbound-event.js';
import { InboundServer } from './inbound-server.js';

const authority = testAuthority('cluster.local');
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function serverOf(filters: readonly HttpFilter[], http: Partial<InboundHttp> = {}) {
  const own = testWorkload(authority, 'spiffe://cluster.local/ns/default/sa/details');
  const events: InboundEvent[] = [];
  const clock = new VirtualClock();
  const { telemetry, finished, calls } = recordingTelemetry(clock);
  const snapshot = snapshotOf(inboundSnapshot('permissive', { http: inboundHttp(filters, http) }));
  const server = new InboundServer({
    snapshot: () => snapshot,
    security: own.security,
    telemetry,
    clock,
    draws: () => 0.5,
    onEvent: (event) => events.push(event),
  });
  ends.push(
    () => own.close(),
    () => {
      const drained = server.drain(0);
      clock.advance(1);
      return drained;
    },
  );
  return { server, clock, finished, calls, events };
}

async function serve(listener: RequestListener, filters: readonly HttpFilter[] = [], http: Partial<InboundHttp> = {}) {
  const made = serverOf(filters, http);
  const { port } = await made.server.listen(listener, 0, '127.0.0.1');
  return { ...made, port };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function call(
  port: number,
  path = '/',
  headers: Record<string, string | string[]> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, headers, method, agent: false });
    request.once('error', reject).once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    request.end();
  });
}

/** Sends bytes as they are and returns all that comes back. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  socket.end(text, 'latin1');
  await once(socket, 'close');
  return answer;
}

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
        'x-ratelimit-reset': '60',
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

describe('hostile input', () => {
  test.each([
    ['a fragment', 'GET /a#b HTTP/1.1\r\nhost: a\r\n'],
    ['a target without slash', 'GET svc/Method HTTP/1.1\r\nhost: a\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n'],
    ['a host with a space', 'GET / HTTP/1.1\r\nhost: a b\r\n'],
    ['an escaped NUL', 'GET /a/%00../b HTTP/1.1\r\nhost: a\r\n'],
    ['credentials in the target', 'GET http://user@a/ HTTP/1.1\r\nhost: a\r\n'],
    ['both framings', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n'],
  ])('%s is refused with 400', async (_, head) => {
    let served = 0;
    const { port } = await serve((_request, response) => {
      served++;
      response.end();
    });
    expect(await raw(port, `${head}connection: close\r\n\r\n`)).toContain('400 Bad Request');
    expect(served).toBe(0);
  });

  test('`//host/x` stays a path, and absolute form gives path and host', async () => {
    const echo: RequestListener = (request, response) =>
      response.end(`${request.headers.host ?? ''} ${request.url ?? ''}`);
    const { port } = await serve(echo);
    expect(await raw(port, 'GET //evil/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toContain('a //evil/x');
    expect(await raw(port, 'GET http://b/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toContain('b /x');
  });

  test('CONNECT is not answered', async () => {
    const { port } = await serve(echoPath);
    expect(await raw(port, 'CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n')).toBe('');
  });

  test('header names of object prototypes are harmless', async () => {
    const { port } = await serve((request, response) => response.end(request.headers['constructor']));
    const answer = await raw(
      port,
      'GET / HTTP/1.1\r\nhost: a\r\n__proto__: x\r\nconstructor: y\r\nconnection: close\r\n\r\n',
    );
    expect(answer).toContain('200 OK');
  });
});

describe('headers', () => {
  const echo: RequestListener = (request, response) => response.end(JSON.stringify(request.headers));
  const headersOf = ({ body }: Answer) => JSON.parse(body) as Record<string, string>;

  test('the mesh’s own headers from an unproven caller are taken out', async () => {
    const { port } = await serve(echo);
    const seen = headersOf(
      await call(port, '/', {
        'X-Envoy-Retry-On': '5xx',
        'x-heddle-hint': '1',
        'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/a/sa/admin',
        'x-kept': '1',
      }),
    );
    expect(Object.keys(seen).filter((name) => name.startsWith('x-'))).toEqual(['x-kept', 'x-forwarded-for']);
  });

  test('x-forwarded-for grows by the caller’s address', async () => {
    const { port } = await serve(echo);
    expect(headersOf(await call(port, '/', { 'x-forwarded-for': '203.0.113.7' }))['x-forwarded-for']).toBe(
      '203.0.113.7,127.0.0.1',
    );
  });

  test('a forged x-forwarded-for does not change the address that policies see', async () => {
    const filter = compile(RBAC_TYPE_URL, HttpRbacSchema, {
      rules: {
        policies: {
          office: {
            permissions: [{ any: true }],
            principals: [{ remoteIp: { addressPrefix: '203.0.113.0', prefixLen: 24 } }],
          },
        },
      },
    });
    const { port } = await serve(echo, [filter]);
    expect((await call(port, '/', { 'x-forwarded-for': '203.0.113.7' })).status).toBe(403);
  });

  test('a header sent twice can’t slip past a DENY rule, in either order', async () => {
    const filter = compile(RBAC_TYPE_URL, HttpRbacSchema, {
      rules: {
        action: 'DENY',
        policies: {
          role: {
            permissions: [{ header: { name: 'role', stringMatch: { exact: 'admin' } } }],
            principals: [{ any: true }],
          },
        },
      },
    });
    const { port } = await serve(echo, [filter]);
    expect((await call(port, '/', { role: ['user', 'admin'] })).status).toBe(403);
    expect((await call(port, '/', { role: ['admin', 'user'] })).status).toBe(403);
    expect((await call(port, '/', { role: ['user', 'guest'] })).status).toBe(200);
  });
});

describe('the application', () => {
  test('finds its request id, and a signal that aborts when the caller leaves', async () => {
    const aborted = deferred<unknown>();
    const { port, finished } = await serve((request) => {
      request.mesh?.signal.addEventListener('abort', () => aborted.resolve(request.mesh?.signal.reason));
      socket.destroy();
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nx-request-id: 11111111-2222-4333-8444-555555555555\r\n\r\n');
    expect(await aborted.promise).toMatchObject({ code: 'CANCELLED' });
    expect(await finished(1)).toMatchObject({
      status: 0,
      flags: 'DC',
      requestId: '11111111-2222-4333-8444-555555555555',
    });
  });

  test('is told of the caller’s deadline, and when it passes', async () => {
    const aborted = deferred<unknown>();
    const { port, clock } = await serve((request, response) => {
      const { signal, deadlineMs } = request.mesh ?? {};
      signal?.addEventListener('abort', () => {
        response.end(String(deadlineMs));
        aborted.resolve(signal.reason);
      });
      clock.advance(250);
    });
    const answer = await call(port, '/', { 'grpc-timeout': '250m' });
    expect(await aborted.promise).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(answer.body).toBe('250');
  });

  test('that throws, at once or later, answers 500 and the process goes on', async () => {
    const { port, events, finished } = await serve((request) => {
      if (request.url === '/now') throw new Error('now');
      return Promise.reject(new Error('later'));
    });
    expect((await call(port, '/now')).status).toBe(500);
    expect((await call(port, '/later')).status).toBe(500);
    expect(events.map(({ kind }) => kind)).toEqual(['application-error', 'application-error']);
    expect(await finished(2)).toMatchObject({ status: 500, details: 'application_error' });
  });

  test('a served request is recorded once, with bytes of both directions', async () => {
    const { port, finished, calls } = await serve((_, response) => response.end('x'.repeat(10_000)));
    await call(port, '/a?b=c');
    const record = await finished(1);
    expect(record).toMatchObject({ status: 200, method: 'GET', path: '/a?b=c', mutualTls: false, flags: '' });
    expect(record.requestBytes).toBeGreaterThan(30);
    expect(record.responseBytes).toBeGreaterThan(10_000);
    expect(record.authority).toBe(`127.0.0.1:${port}`);
    expect(calls).toHaveLength(1);
  });
});

function deferred<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve: (value) => resolve(value) };
}

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
