// What routes, listeners and filters make of a call, seen by the caller and by the server, over real sockets.
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { request, getGlobalDispatcher, setGlobalDispatcher, fetch as undiciFetch } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpFilter } from '../../filters/http-filter.js';
import type { OutboundListener } from '../../snapshot/route-snapshot.js';
import { testAuthority } from '../../testing/test-certificates.js';
import { corpusCases } from '../../testing/corpus.js';
import { drawCluster } from '../prepare-call.js';
import { LiveParts } from '../testing/live-parts.js';
import { cluster, retryPlan, route, snapshot, weighted } from '../testing/snapshot-fixture.js';

const live = new LiveParts();
afterEach(() => live.cleanUp());

const constant = (name: string, value: string, mode: 'append' | 'overwrite' = 'overwrite') => ({
  name,
  mode,
  keepEmptyValue: false,
  value,
});

describe('a routed call', () => {
  it('carries the route´s headers, host and path, and brings the response´s', async () => {
    const { address } = await live.serve((req, res) => {
      res.setHeader('x-secret', '1');
      res.end(
        JSON.stringify([
          req.url,
          req.headers.host,
          req.headers['x-team'],
          req.headers['x-drop'],
          req.headers['x-envoy-original-path'],
        ]),
      );
    });
    const plan = route(
      { hostRewrite: 'inner.example', rewritePath: (path) => path.replace('/v1', '/v2') },
      {
        requestHeaders: { remove: ['x-drop'], set: [constant('x-team', 'blue')] },
        responseHeaders: { remove: ['x-secret'], set: [constant('x-served', 'yes')] },
      },
    );
    const { fetch } = live.client([cluster('upstream', [address])], plan);
    const response = await fetch('http://reviews/v1/x?y', { headers: { 'X-Drop': '1' } });
    expect(await response.json()).toEqual(['/v2/x?y', 'inner.example', 'blue', null, '/v1/x?y']);
    expect([response.headers.get('x-served'), response.headers.get('x-secret')]).toEqual(['yes', null]);
  });

  it('counts its attempts for the server and for the caller only where the virtual host asks for it', async () => {
    let calls = 0;
    const { address } = await live.serve((req, res) => {
      res.statusCode = ++calls % 2 === 1 ? 503 : 200;
      res.end(String(req.headers['x-envoy-attempt-count']));
    });
    const retry = retryPlan({ on5xx: true });
    const seen = async (counted: boolean) => {
      const plan = route({ retry, includeAttemptCount: counted, includeAttemptCountInResponse: counted });
      const response = await live.client([cluster('upstream', [address])], plan).fetch('http://reviews/');
      return [await response.text(), response.headers.get('x-envoy-attempt-count')];
    };
    expect(await seen(true)).toEqual(['2', '2']);
    expect(await seen(false)).toEqual(['undefined', null]);
  });

  it('goes to the cluster that a header names, with the host that weighted cluster, header or path give it', async () => {
    const { address } = await live.serve((req, res) => res.end(req.headers.host));
    const [entry] = weighted({ '': 1 }).entries;
    const clusters = {
      entries: [{ ...entry!, clusterHeader: 'x-cluster', hostRewrite: 'entry.example' }],
      totalWeight: 1,
    };
    const { fetch } = live.client([cluster('upstream', [address])], route({ clusters, hostRewrite: 'route.example' }));
    expect(await (await fetch('http://reviews/', { headers: { 'x-cluster': 'upstream' } })).text()).toBe(
      'entry.example',
    );
    for (const headers of [{}, { 'x-cluster': 'nowhere' }])
      expect((await fetch('http://reviews/', { headers })).status).toBe(503);

    const rewritten = route({ hostRewriteFrom: (head) => head.header('x-host') });
    const other = live.client([cluster('upstream', [address])], rewritten);
    expect(await (await other.fetch('http://reviews/', { headers: { 'x-host': 'asked.example' } })).text()).toBe(
      'asked.example',
    );
    expect(await (await other.fetch('http://reviews/')).text()).toBe('reviews');
  });

  it('is answered on the spot by redirects, direct responses, missing routes and clusters', async () => {
    const answer = async (plan: Parameters<typeof route>[0] | undefined) => {
      const current = snapshot([], () => (plan === undefined ? undefined : route(plan)));
      const { fetch, outbound } = live.clientOf(current);
      const response = await fetch('http://reviews/', { redirect: 'manual' });
      const info = outbound.responseInfo(response);
      return [response.status, await response.text(), response.headers.get('location'), info?.flags];
    };
    expect(await answer({ kind: 'direct-response', status: 418, body: 'teapot' })).toEqual([418, 'teapot', null, '']);
    expect(await answer({ kind: 'redirect', status: 301, location: () => 'https://a/' })).toEqual([
      301,
      '',
      'https://a/',
      '',
    ]);
    expect(await answer(undefined)).toEqual([404, '', null, 'NR']);
    expect(await answer({})).toEqual([503, '', null, 'NC']);
    expect(await answer({ clusters: weighted({ BlackHoleCluster: 1 }) })).toEqual([502, '', null, '']);
  });

  it('waits out a fault´s delay and meets its abort', async () => {
    const { address } = await live.serve((_req, res) => res.end('ok'));
    const filter = (status: number | undefined): HttpFilter => ({
      name: 'envoy.filters.http.fault',
      typeUrl: '',
      decide: () => ({
        kind: 'delay',
        delayMs: 40,
        flag: 'DI',
        onDone: undefined,
        thenReply:
          status === undefined
            ? undefined
            : {
                kind: 'reply',
                code: 'FAULT_ABORT',
                status,
                grpcStatus: undefined,
                headers: [],
                body: 'fault filter abort',
                flag: 'FI',
                details: 'fault_filter_abort',
                policy: undefined,
              },
      }),
      explain: () => ({ verdict: 'info', reason: '' }),
    });
    const delayed = live.client([cluster('upstream', [address])], route({}, { filters: [filter(undefined)] }));
    const startMs = performance.now();
    expect(await (await delayed.fetch('http://reviews/')).text()).toBe('ok');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(39);
    const aborted = live.client([cluster('upstream', [address])], route({}, { filters: [filter(418)] }));
    const response = await aborted.fetch('http://reviews/');
    expect([response.status, await response.text()]).toEqual([418, 'fault filter abort']);
    expect(aborted.telemetry.finished[0]).toMatchObject({ flags: 'DI,FI', details: 'fault_filter_abort', attempts: 0 });
  });

  it('is copied to its mirrors, whose answers nobody waits for', async () => {
    const mirrored: (string | undefined)[] = [];
    let arrived: () => void = () => undefined;
    const copy = new Promise<void>((resolve) => (arrived = resolve));
    const main = await live.serve((_req, res) => res.end('main'));
    const mirror = await live.serve((req, res) => {
      mirrored.push(req.headers.host, req.url);
      res.writeHead(500).end();
      arrived();
    });
    const plan = route({
      mirrors: [
        { cluster: 'shadow', fraction: 1 },
        { cluster: 'shadow', fraction: 0 },
      ],
    });
    const { fetch } = live.client([cluster('upstream', [main.address]), cluster('shadow', [mirror.address])], plan);
    expect(await (await fetch('http://reviews:9080/x', { method: 'PUT', body: null })).text()).toBe('main');
    await copy;
    expect(mirrored).toEqual(['reviews-shadow:9080', '/x']);
  });

  it('goes straight to hosts that no listener knows, with ordinary TLS where it asks for https', async () => {
    const plain = await live.serve((_req, res) => res.end('plain'));
    const authority = testAuthority('example');
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, authority.rootPem]);
    live.onCleanUp(() => Promise.resolve(setDefaultCACertificates(before)));
    const { certificateChainPem: cert, privateKeyPem: key } = authority.issue({ dnsNames: ['localhost'] });
    const server = createHttpsServer({ cert, key }, (_req, res) => res.end('secure'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    live.onCleanUp(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    const unknown = { ...snapshot([], () => undefined), outboundListener: () => undefined };
    const { fetch, telemetry } = live.clientOf(unknown);
    expect(await (await fetch(`http://${plain.address}/`)).text()).toBe('plain');
    expect(await (await fetch(`https://localhost:${port}/`)).text()).toBe('secure');
    // The certificate is for localhost only.
    expect((await fetch(`https://127.0.0.1:${port}/`)).status).toBe(503);
    expect(telemetry.finished.map(({ cluster }) => cluster)).toEqual(Array(3).fill('PassthroughCluster'));
    const early = live.clientOf({ ...unknown, generation: 0 });
    await expect(early.fetch('http://reviews/', { errors: 'throw' })).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
    });
  });

  it('goes to the cluster of a TCP listener without any route', async () => {
    const { address } = await live.serve((_req, res) => res.end('tcp'));
    const listener: OutboundListener = { name: 'tcp', target: { kind: 'tcp', clusters: weighted({ upstream: 1 }) } };
    const current = {
      ...snapshot([cluster('upstream', [address])], () => undefined),
      outboundListener: () => listener,
    };
    expect(await (await live.clientOf(current).fetch('http://db:1234/')).text()).toBe('tcp');
  });

  it('shows informational responses and trailers to the caller', async () => {
    const server = createTcpServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
        socket.end(
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\nx-sum: 7\r\n\r\n',
        );
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    live.onCleanUp(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const { outbound } = live.client([cluster('upstream', [`127.0.0.1:${port}`])], route({}));
    const infos: number[] = [];
    const onInfo = ({ statusCode }: { statusCode: number }) => infos.push(statusCode);
    const response = await outbound.dispatcher.request({ origin: 'http://a', path: '/', method: 'GET', onInfo });
    expect([infos, await response.body.text(), response.trailers]).toEqual([[103], 'ok', { 'x-sum': '7' }]);
  });
});

describe('the mesh as a dispatcher', () => {
  it('serves undici.request, undici.fetch, the global dispatcher and the built-in fetch', async () => {
    const { address } = await live.serve((req, res) => res.end(req.headers.host));
    const { outbound } = live.client([cluster('upstream', [address])], route({}));
    const { dispatcher } = outbound;
    expect(await (await request('http://a:9080/', { dispatcher })).body.text()).toBe('a:9080');
    expect(await (await undiciFetch('http://b:9080/', { dispatcher })).text()).toBe('b:9080');
    expect(await (await fetch('http://c:9080/', { dispatcher } as never)).text()).toBe('c:9080');
    const before = getGlobalDispatcher();
    setGlobalDispatcher(dispatcher);
    try {
      expect(await (await undiciFetch('http://d:9080/')).text()).toBe('d:9080');
    } finally {
      setGlobalDispatcher(before);
    }
  });

  it('sends strings, bytes, iterables, forms, Requests and URLs', async () => {
    const { address } = await live.serve((req, res) => {
      const parts: Buffer[] = [];
      req.on('data', (chunk: Buffer) => parts.push(chunk));
      req.on('end', () =>
        res.end(`${req.method} ${req.headers['content-type'] ?? ''} ${Buffer.concat(parts).toString()}`),
      );
    });
    const { fetch, outbound } = live.client([cluster('upstream', [address])], route({}));
    const post = async (body: unknown) => {
      const options = { origin: 'http://a', path: '/', method: 'POST' as const, body: body as string };
      return (await outbound.dispatcher.request(options)).body.text();
    };
    expect(await post('text')).toBe('POST  text');
    expect(await post(new Uint8Array([104, 105]))).toBe('POST  hi');
    expect(await post(['a', 'b'].values())).toBe('POST  ab');
    const form = new FormData();
    form.set('name', 'value');
    expect(await post(form)).toMatch(/^POST multipart\/form-data; boundary=.*name="name"\r\n\r\nvalue/s);
    expect(await (await fetch('http://a/', { method: 'POST', body: form })).text()).toMatch(/multipart.*value/s);
    const asked = new Request('http://a/', { method: 'PUT', body: 'whole', headers: { 'content-type': 'x/y' } });
    expect(await (await fetch(asked)).text()).toBe('PUT x/y whole');
    expect(await (await fetch(new URL('http://a/'), { method: 'DELETE' })).text()).toBe('DELETE  ');
    await expect(post({ not: 'a body' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('refuses upgrades, CONNECT and foreign schemes with a reason', async () => {
    const { outbound } = live.client([], route({}));
    const { dispatcher } = outbound;
    await expect(request('http://a/', { dispatcher, upgrade: 'websocket' })).rejects.toThrow(/upgrade/i);
    await expect(dispatcher.request({ origin: 'ftp://a', path: '/', method: 'GET' })).rejects.toThrow(/ftp/);
  });

  it('survives callbacks of the caller that throw, also from a timer', async () => {
    const { address } = await live.serve((req, res) => (req.url === '/slow' ? undefined : res.end('ok')));
    const { outbound, states } = live.client([cluster('upstream', [address])], route({ timeoutMs: 30 }));
    for (const path of ['/', '/slow']) {
      const error = await new Promise<Error>((resolve) => {
        outbound.dispatcher.dispatch(
          { origin: 'http://a', path, method: 'GET' },
          {
            onRequestStart: () => undefined,
            onResponseStart() {
              throw new Error('defect of the caller');
            },
            onResponseError: (_controller, reason) => resolve(reason),
          },
        );
      });
      expect(error.message).toBe('defect of the caller');
    }
    expect([states.byName('upstream')?.breaker.activeRequests, outbound.activeCalls]).toEqual([0, 0]);
  });

  it('answers gRPC over HTTP in gRPC´s own form', async () => {
    const { outbound } = live.client([cluster('upstream', [])], route({}));
    const headers = { 'content-type': 'application/grpc', te: 'trailers' };
    const response = await outbound.dispatcher.request({ origin: 'http://a', path: '/x.Y/Z', method: 'POST', headers });
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({ 'grpc-status': '14', 'grpc-message': 'no healthy upstream' });
  });

  it('lets calls in flight end when the mesh closes, and takes no new ones', async () => {
    let answer: () => void = () => undefined;
    let arrive: () => void = () => undefined;
    const arrived = new Promise<undefined>((resolve) => (arrive = () => resolve(undefined)));
    const { address } = await live.serve((_req, res) => {
      answer = () => res.end('in time');
      arrive();
    });
    const parts = live.client([cluster('upstream', [address])], route({}));
    const call = parts.fetch('http://a/');
    await arrived;
    const closed = parts.outbound.close({ drainMs: 1_000 });
    answer();
    expect(await (await call).text()).toBe('in time');
    await closed;
    await expect(parts.fetch('http://a/')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

interface SplitCase {
  id: string;
  given: { clusters?: { name: string; weight: number }[]; random_value?: number };
  expected: { cluster?: string };
}
const splits = corpusCases<SplitCase>('envoy-stateful/weighted-cluster.json');
describe.skipIf(splits === undefined)('the weighted split as in Envoy´s own tests (needs the corpora)', () => {
  const drawn = (splits ?? []).filter(
    ({ given, expected }) => given.random_value !== undefined && expected.cluster !== undefined,
  );
  it.each(drawn)('$id', ({ given, expected }) => {
    const clusters = weighted(Object.fromEntries((given.clusters ?? []).map(({ name, weight }) => [name, weight])));
    const point = ((given.random_value ?? 0) % clusters.totalWeight) / clusters.totalWeight;
    expect(drawCluster(clusters, () => point + 1e-9)?.name).toBe(expected.cluster);
  });
});
