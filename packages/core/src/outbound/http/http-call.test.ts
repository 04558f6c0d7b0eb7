// Calls against real HTTP servers in this process: what a caller of the mesh sees.
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { MeshError } from '../../errors.js';
import { LiveParts } from '../testing/live-parts.js';
import { DEFAULT_LIMITS, DEFAULT_OUTLIER, cluster, retryPlan, route } from '../testing/snapshot-fixture.js';

const live = new LiveParts();
const serve = live.serve.bind(live);
const client = live.client.bind(live);
afterEach(() => live.cleanUp());

/** Waits for an event loop turn, until the condition holds or a second has passed. */
async function eventually(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 1_000;
  while (!condition() && performance.now() < endMs) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

describe('a call through mesh.fetch', () => {
  it('reaches the endpoint with its path byte for byte and the host that was called', async () => {
    const seen: (string | undefined)[] = [];
    const wire: number[] = [];
    const { address } = await serve((req, res) => {
      seen.push(req.url, req.headers.host);
      req.socket.once('close', () => wire.push(req.socket.bytesRead, req.socket.bytesWritten));
      res.setHeader('connection', 'close').end('hello');
    });
    const { fetch, outbound, telemetry } = client([cluster('upstream', [address])], route({ timeoutMs: 5_000 }));
    const response = await fetch('http://reviews:9080/a%2Fb/../c?q=1');
    expect(await response.text()).toBe('hello');
    expect(response.headers.get('x-envoy-upstream-service-time')).toMatch(/^\d+$/);
    const raw = await outbound.dispatcher.request({
      origin: 'http://reviews:9080',
      path: '/a%2Fb/../c//',
      method: 'GET',
    });
    await raw.body.dump();
    expect(seen).toEqual(['/c?q=1', 'reviews:9080', '/a%2Fb/../c//', 'reviews:9080']);
    expect(outbound.responseInfo(response)).toMatchObject({
      attempts: 1,
      cluster: 'upstream',
      upstreamAddress: address,
    });
    expect(telemetry.finished.map(({ status, details }) => [status, details])).toEqual([
      [200, 'via_upstream'],
      [200, 'via_upstream'],
    ]);
    await eventually(() => wire.length === 4);
    // Istio counts what goes over the wire, heads included.
    expect(telemetry.finished.flatMap(({ requestBytes, responseBytes }) => [requestBytes, responseBytes])).toEqual(
      wire,
    );
  });

  it('is healed by a retry when one answer is a 503', async () => {
    let calls = 0;
    const attempts: (string | undefined)[] = [];
    const { address } = await serve((req, res) => {
      attempts.push(req.headers['x-envoy-attempt-count'] as string);
      res.statusCode = ++calls === 1 ? 503 : 200;
      res.end('body');
    });
    const plan = route({ retry: retryPlan({ on5xx: true }), includeAttemptCount: true });
    const { fetch, telemetry } = client([cluster('upstream', [address])], plan);
    const response = await fetch('http://reviews/');
    expect([response.status, await response.text()]).toEqual([200, 'body']);
    expect(attempts).toEqual(['1', '2']);
    expect(telemetry.finished).toHaveLength(1);
    expect(telemetry.finished[0]).toMatchObject({ attempts: 2, flags: '', status: 200 });
  });

  it('says URX when every retry failed', async () => {
    const { address } = await serve((_req, res) => res.writeHead(503).end('down'));
    const { fetch, telemetry } = client([cluster('upstream', [address])], route({ retry: retryPlan({ on5xx: true }) }));
    const response = await fetch('http://reviews/');
    expect([response.status, await response.text()]).toEqual([503, 'down']);
    expect(telemetry.finished[0]).toMatchObject({ attempts: 3, flags: 'URX' });
  });

  it('does not send a POST again after a 503, but does after a refused connection', async () => {
    let posts = 0;
    const { address } = await serve((_req, res) => {
      posts += 1;
      res.statusCode = 503;
      res.end();
    });
    const retry = retryPlan({ on5xx: true, connectFailure: true });
    const failing = client([cluster('upstream', [address])], route({ retry }));
    expect((await failing.fetch('http://pay/', { method: 'POST', body: 'x' })).status).toBe(503);
    expect(posts).toBe(1);
    expect((await failing.fetch('http://pay/', { method: 'POST', body: 'x', idempotent: true })).status).toBe(503);
    expect(posts).toBe(4);
    await failing.fetch('http://pay/', { method: 'POST', body: 'x', headers: { 'Idempotency-Key': '1' } });
    expect(posts).toBe(7);

    const bodies: string[] = [];
    const { address: good } = await serve((req, res) => {
      req.setEncoding('utf8').on('data', (chunk: string) => bodies.push(chunk));
      req.on('end', () => res.end('paid'));
    });
    const healing = client([cluster('upstream', ['127.0.0.1:1', good])], route({ retry }));
    for (let call = 0; call < 2; call++)
      expect(await (await healing.fetch('http://pay/', { method: 'POST', body: 'amount=1' })).text()).toBe('paid');
    expect(bodies).toEqual(['amount=1', 'amount=1']);
    expect(healing.telemetry.finished.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(4);
  });

  it('ends with Envoy´s 504 when the upstream is slower than the route allows, and frees the connection', async () => {
    let closed = 0;
    const { address } = await serve((req) => {
      req.on('close', () => (closed += 1));
    });
    const { fetch, telemetry, states } = client([cluster('upstream', [address])], route({ timeoutMs: 60 }));
    const startMs = performance.now();
    const response = await fetch('http://slow/');
    expect([response.status, await response.text()]).toEqual([504, 'upstream request timeout']);
    expect(performance.now() - startMs).toBeLessThan(500);
    expect(telemetry.finished[0]).toMatchObject({ flags: 'UT', details: 'response_timeout' });
    await eventually(() => closed === 1);
    expect(states.byName('upstream')?.breaker.activeRequests).toBe(0);
  });

  it('throws MeshError instead where the caller asks for errors', async () => {
    const { fetch } = client([cluster('upstream', [])], route({}));
    await expect(fetch('http://nobody/', { errors: 'throw' })).rejects.toMatchObject({
      code: 'NO_HEALTHY_UPSTREAM',
      resource: 'upstream',
    });
    const response = await fetch('http://nobody/');
    expect([response.status, await response.text()]).toEqual([503, 'no healthy upstream']);
  });

  it('answers 503 UO with x-envoy-overloaded beyond the breaker´s limits, and queues below them', async () => {
    const open: (() => void)[] = [];
    const { address } = await serve((_req, res) => open.push(() => res.end('done')));
    const limits = { ...DEFAULT_LIMITS, maxConnections: 1, maxPendingRequests: 1 };
    const { fetch, telemetry, states } = client([cluster('upstream', [address], { limits })], route({}));
    const first = fetch('http://busy/');
    await eventually(() => open.length === 1);
    const second = fetch('http://busy/');
    await eventually(() => states.byName('upstream')?.breaker.waiting === 1);
    const third = await fetch('http://busy/');
    expect([third.status, third.headers.get('x-envoy-overloaded')]).toEqual([503, 'true']);
    expect(await third.text()).toMatch(/reset reason: overflow$/);
    expect(telemetry.finished[0]?.flags).toBe('UO');
    expect(states.byName('upstream')?.breaker.waiting).toBe(1);
    open[0]?.();
    expect(await (await first).text()).toBe('done');
    await eventually(() => open.length === 2);
    open[1]?.();
    expect(await (await second).text()).toBe('done');
    expect(states.byName('upstream')?.breaker.activeRequests).toBe(0);
  });

  it('avoids an endpoint after five 5xx in a row and comes back to it after its time', async () => {
    let broken = true;
    const bad = await serve((_req, res) => res.writeHead(broken ? 500 : 200).end('bad'));
    const good = await serve((_req, res) => res.end('good'));
    const outlier = { ...DEFAULT_OUTLIER, intervalMs: 50, baseEjectionTimeMs: 100, maxEjectionPercent: 50 };
    const { fetch, outbound } = client([cluster('upstream', [bad.address, good.address], { outlier })], route({}));
    const ask = async () => (await fetch('http://reviews/')).text();
    for (let call = 0; call < 10; call++) await ask();
    const stateOf = (address: string) =>
      outbound.explainCluster('upstream')?.endpoints.find((each) => each.address === address)?.state;
    expect(stateOf(bad.address)).toBe('ejected');
    const answers = new Set<string>();
    for (let call = 0; call < 10; call++) answers.add(await ask());
    expect([...answers]).toEqual(['good']);
    broken = false;
    await eventually(() => stateOf(bad.address) === 'healthy');
    for (let call = 0; call < 4; call++) answers.add(await ask());
    expect([...answers]).toEqual(['good', 'bad']);
  });

  it('gives everything back when the caller leaves', async () => {
    let closed = 0;
    let arrived = 0;
    const { address } = await serve((req, res) => {
      arrived += 1;
      if (req.url === '/body') res.write('some');
      res.on('close', () => (closed += 1));
    });
    const { fetch, states, telemetry, outbound } = client(
      [cluster('upstream', [address])],
      route({ timeoutMs: 60_000 }),
    );
    const before = new AbortController();
    const waiting = fetch('http://slow/', { signal: before.signal });
    await eventually(() => arrived === 1);
    before.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    const during = new AbortController();
    const response = await fetch('http://slow/body', { signal: during.signal });
    during.abort();
    await expect(response.text()).rejects.toThrow(/abort/i);
    await eventually(() => closed === 2);
    expect(states.byName('upstream')?.breaker.activeRequests).toBe(0);
    expect(outbound.activeCalls).toBe(0);
    expect(outbound.wheel.size).toBe(0);
    expect(telemetry.finished.map(({ flags }) => flags)).toEqual(['DC', 'DC']);
  });

  it('ends when the inbound request that it is made for ends', async () => {
    const { address } = await serve(() => undefined);
    const { fetch, telemetry, states } = client([cluster('upstream', [address])], route({}));
    const inbound = new AbortController();
    telemetry.context = {
      requestId: '1',
      trace: undefined,
      traceState: undefined,
      baggage: undefined,
      b3: undefined,
      deadlineMs: undefined,
      signal: inbound.signal,
      forwarded: [],
    };
    const call = fetch('http://slow/');
    const rejected = expect(call).rejects.toThrow();
    await eventually(() => states.byName('upstream')?.breaker.activeRequests === 1);
    inbound.abort(new MeshError('CANCELLED', 'the caller went away'));
    await rejected;
    expect(states.byName('upstream')?.breaker.activeRequests).toBe(0);
  });

  it('takes the inbound deadline where it is earlier than the route´s timeout', async () => {
    const { address } = await serve(() => undefined);
    const { fetch, telemetry } = client([cluster('upstream', [address])], route({ timeoutMs: 60_000 }));
    telemetry.context = {
      requestId: '1',
      trace: undefined,
      traceState: undefined,
      baggage: undefined,
      b3: undefined,
      deadlineMs: performance.now() + 50,
      signal: undefined,
      forwarded: [],
    };
    await expect(fetch('http://slow/', { errors: 'throw' })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('tells a broken body from a complete one', async () => {
    const { address } = await serve((_req, res) => {
      res.writeHead(200, { 'content-length': '100' });
      res.write('half');
      setImmediate(() => res.destroy());
    });
    const { fetch, telemetry } = client([cluster('upstream', [address])], route({ retry: retryPlan({ reset: true }) }));
    const response = await fetch('http://reviews/');
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(telemetry.finished[0]).toMatchObject({ flags: 'UC', attempts: 1 });
  });

  it('survives the keep-alive race: a connection that the server closes while it is idle costs a retry, not the call', async () => {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      let requests = 0;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        requests += 1;
        if (requests === 2) return socket.destroy();
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    live.onCleanUp(() => new Promise((resolve) => server.close(resolve)));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { fetch } = client([cluster('upstream', [address])], route({ retry: retryPlan({ reset: true }) }));
    for (let call = 0; call < 4; call++) expect(await (await fetch('http://reviews/')).text()).toBe('ok');
    expect(connections).toBe(4);
  });

  it('streams large bodies both ways', async () => {
    let received = 0;
    const { address } = await serve((req, res) => {
      req.on('data', (chunk: Buffer) => (received += chunk.length));
      req.on('end', () => Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'y'))).pipe(res));
    });
    const { fetch, telemetry } = client([cluster('upstream', [address])], route({ retry: retryPlan({ on5xx: true }) }));
    const body = Readable.toWeb(Readable.from(Array.from({ length: 48 }, () => Buffer.alloc(65_536, 'x'))));
    const response = await fetch('http://store/', { method: 'PUT', body: body as never, duplex: 'half' });
    expect((await response.arrayBuffer()).byteLength).toBe(64 * 65_536);
    expect(received).toBe(48 * 65_536);
    const { requestBytes = 0, responseBytes = 0 } = telemetry.finished[0] ?? {};
    expect(requestBytes - received).toBeGreaterThan(0);
    expect(requestBytes - received).toBeLessThan(1_000);
    expect(responseBytes - 64 * 65_536).toBeGreaterThan(0);
    expect(responseBytes - 64 * 65_536).toBeLessThan(1_000);
  });

  it('sends a streamed body again from the buffer, and a too large one not at all', async () => {
    let calls = 0;
    const bodies: number[] = [];
    const { address } = await serve((req, res) => {
      let size = 0;
      req.on('data', (chunk: Buffer) => (size += chunk.length));
      req.on('end', () => {
        bodies.push(size);
        res.writeHead(++calls % 2 === 1 ? 503 : 200).end();
      });
    });
    const { fetch } = client([cluster('upstream', [address])], route({ retry: retryPlan({ on5xx: true }) }));
    const put = async (chunks: number) => {
      const body = Readable.toWeb(Readable.from(Array.from({ length: chunks }, () => Buffer.alloc(65_536, 'x'))));
      return (await fetch('http://store/', { method: 'PUT', body: body as never, duplex: 'half' })).status;
    };
    expect(await put(4)).toBe(200);
    expect(bodies).toEqual([4 * 65_536, 4 * 65_536]);
    expect(await put(32)).toBe(503);
    expect(bodies).toHaveLength(3);
  });

  it('refuses a bad request without harming the pool', async () => {
    const { address } = await serve((_req, res) => res.end('ok'));
    const limits = { ...DEFAULT_LIMITS, maxConnections: 1 };
    const { outbound } = client([cluster('upstream', [address], { limits })], route({}));
    const ask = (path: string, headers: Record<string, string> = {}) =>
      outbound.dispatcher.request({ origin: 'http://reviews', path, method: 'GET', headers });
    await expect(ask('/with space')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(ask('/', { 'x-bad': 'a\r\nb' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(ask('/', { 'bad name': 'a' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const { statusCode, body } = await ask('/', {
      connection: 'close, x-hop',
      'x-hop': '1',
      'transfer-encoding': 'chunked',
    });
    await body.dump();
    expect(statusCode).toBe(200);
  });
});
