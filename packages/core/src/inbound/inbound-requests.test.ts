// Requests through a real server: hostile input, headers, deadlines, failures of the application, and the records left behind.
import type { IncomingMessage, RequestListener } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpRbacSchema, fromJson, packAny, type JsonValue } from '@heddle/xds';
import type { HttpFilter } from '../filters/http-filter.js';
import { rbacFilterKind } from '../filters/rbac-filter.js';
import { filterBuild } from '../testing/inbound-fixtures.js';
import { type Answer, InboundRig, call, deferred, raw } from '../testing/inbound-rig.js';

const rig = new InboundRig();
const { serveFiltered: serve } = rig;
afterEach(() => rig.close());

function rbac(json: JsonValue): HttpFilter {
  const filter = rbacFilterKind.compile(
    packAny(HttpRbacSchema, fromJson(HttpRbacSchema, json)),
    undefined,
    filterBuild(),
  );
  if (filter === undefined) throw new Error('nothing compiled');
  return filter;
}

const echoPath: RequestListener = (request, response) => response.end(request.url);

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
    expect(Object.keys(seen).filter((name) => name.startsWith('x-'))).toEqual(['x-kept', 'x-forwarded-proto']);
  });

  test('x-forwarded-for stays as it came, and grows by the caller’s address where the configuration says so', async () => {
    const sent = { 'x-forwarded-for': '203.0.113.7' };
    const sidecar = await serve(echo);
    expect(headersOf(await call(sidecar.port, '/', sent))['x-forwarded-for']).toBe('203.0.113.7');
    expect(headersOf(await call(sidecar.port, '/'))['x-forwarded-for']).toBeUndefined();
    const edge = { useRemoteAddress: true, trustedHops: 0, skipAppend: false };
    const { port } = await serve(echo, [], { remoteAddress: edge });
    expect(headersOf(await call(port, '/', sent))['x-forwarded-for']).toBe('203.0.113.7,127.0.0.1');
    expect(headersOf(await call(port, '/'))['x-forwarded-for']).toBe('127.0.0.1');
  });

  test('x-forwarded-proto is filled in, and a stranger’s is overwritten at an edge', async () => {
    const sidecar = await serve(echo);
    expect(headersOf(await call(sidecar.port, '/'))['x-forwarded-proto']).toBe('http');
    const sent = { 'x-forwarded-proto': 'https' };
    expect(headersOf(await call(sidecar.port, '/', sent))['x-forwarded-proto']).toBe('https');
    const { port } = await serve(echo, [], {
      remoteAddress: { useRemoteAddress: true, trustedHops: 0, skipAppend: false },
    });
    expect(headersOf(await call(port, '/', sent))['x-forwarded-proto']).toBe('http');
  });

  test('every view of the headers agrees after changes', async () => {
    const views: RequestListener = (request, response) =>
      response.end(JSON.stringify([request.headers, request.headersDistinct, request.rawHeaders]));
    const { port } = await serve(views);
    const answer = await call(port, '/', { 'x-envoy-a': '1', 'X-Heddle-B': ['1', '2'], 'x-kept': '1' });
    const [headers, distinct, list] = JSON.parse(answer.body) as [object, object, string[]];
    const names = list.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names).toContain('x-kept');
    expect(names.some((name) => /^x-(?:envoy|heddle)-/.test(name))).toBe(false);
    expect(Object.keys(headers).sort()).toEqual(names.sort());
    expect(Object.keys(distinct).sort()).toEqual(names.sort());
  });

  test('the host loses its port and its final dot where the configuration says so', async () => {
    const { port } = await serve(echo, [], { host: { stripPort: 'any', stripTrailingDot: true } });
    expect(headersOf(await call(port, '/', { host: 'details.:9080' }))['host']).toBe('details');
  });

  test('a forged x-forwarded-for does not change the address that policies see', async () => {
    const filter = rbac({
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
    const filter = rbac({
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
    const broken = (request: IncomingMessage): unknown => {
      if (request.url === '/now') throw new Error('now');
      return Promise.reject(new Error('later'));
    };
    const { port, events, finished } = await serve(broken);
    expect((await call(port, '/now')).status).toBe(500);
    expect((await call(port, '/later')).status).toBe(500);
    expect(events.map(({ kind }) => kind)).toEqual(['application-error', 'application-error']);
    expect(await finished(2)).toMatchObject({ status: 500, details: 'application_error' });
  });

  test('is never reached by a request that the mesh failed to judge; the process goes on', async () => {
    let served = 0;
    const filtersFor = () => {
      throw new Error('a route that can not be compiled');
    };
    const { port, finished } = await serve(() => (served += 1), [], { filtersFor });
    expect((await call(port, '/a')).status).toBe(500);
    expect((await call(port, '/b')).status).toBe(500);
    expect(served).toBe(0);
    expect(await finished(2)).toMatchObject({ status: 500, details: 'request_not_judged' });
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
