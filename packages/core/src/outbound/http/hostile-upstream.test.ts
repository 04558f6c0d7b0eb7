// Thousands of calls against an upstream that answers, fails, stalls, resets and lies at random: whatever it does, nothing is left behind.
import { getEventListeners, once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.js';
import { seededDraws } from '../../draws.js';
import { LiveParts } from '../testing/live-parts.js';
import { DEFAULT_LIMITS, DEFAULT_OUTLIER, cluster, retryPlan, route } from '../testing/snapshot-fixture.js';

const live = new LiveParts();
afterEach(() => live.cleanUp());

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

async function eventually(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!condition() && performance.now() < endMs) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

/** A TCP server that does `answer` for each request head; `sockets` are those that are open. */
async function serveRaw(answer: (socket: Socket, request: number) => void) {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', (data) => {
      if (data.includes('\r\n\r\n')) answer(socket, requests++);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  live.onCleanUp(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

const tcpSockets = () => process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length;

describe('a hostile upstream', () => {
  it('leaves no counter, socket, timer or listener behind after 10,000 calls', { timeout: 60_000 }, async () => {
    const draw = seededDraws(5);
    const { address, sockets } = await serveRaw((socket) => {
      const point = draw('request-id');
      if (point < 0.6) socket.write(OK);
      else if (point < 0.75) socket.write('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\ndown');
      else if (point < 0.8) socket.resetAndDestroy();
      else if (point < 0.85) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut');
      else if (point < 0.9) socket.end('this is no HTTP\r\n\r\n');
      else if (point < 0.95) socket.write(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged`);
      // Else nothing: the call waits until it times out or its caller leaves.
    });
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', onRejection);
    const before = tcpSockets();
    const limits = { ...DEFAULT_LIMITS, maxConnections: 48, maxPendingRequests: 60 };
    const plan = route({
      timeoutMs: 120,
      retry: retryPlan({ on5xx: true, reset: true, connectFailure: true }, { perTryTimeoutMs: 40, backOffBaseMs: 1 }),
    });
    const outlier = { ...DEFAULT_OUTLIER, maxEjectionPercent: 0 };
    const { outbound, telemetry, states } = live.client(
      [cluster('upstream', [address, '127.0.0.1:1'], { limits, outlier })],
      plan,
    );
    const signals = new AbortController();
    telemetry.context = {
      requestId: 'r',
      trace: undefined,
      traceState: undefined,
      baggage: undefined,
      b3: undefined,
      deadlineMs: undefined,
      signal: signals.signal,
      forwarded: [],
    };
    let begun = 0;
    let settled = 0;
    const call = () =>
      new Promise<void>((resolve) => {
        const leaves = draw('request-id') < 0.1;
        const done = () => {
          settled += 1;
          resolve();
        };
        outbound.dispatcher.dispatch(
          { origin: 'http://hostile', path: '/', method: 'GET' },
          {
            onRequestStart: (controller) => {
              if (leaves) setImmediate(() => controller.abort(new Error('the caller left')));
            },
            onResponseStart: () => undefined,
            onResponseData: () => undefined,
            onResponseEnd: done,
            onResponseError: done,
          },
        );
      });
    const worker = async () => {
      for (; begun < 10_000; await new Promise((resolve) => setImmediate(resolve))) {
        begun += 1;
        await call();
      }
    };
    await Promise.all(Array.from({ length: 64 }, worker));
    process.off('unhandledRejection', onRejection);
    expect([settled, telemetry.finished.length, rejections, outbound.activeCalls]).toEqual([10_000, 10_000, [], 0]);
    const breaker = states.byName('upstream')?.breaker;
    expect(breaker).toMatchObject({ activeRequests: 0, activeRetries: 0, connecting: 0, waiting: 0 });
    expect([...(states.byName('upstream')?.endpoints.values() ?? [])].map((each) => each.activeRequests)).toEqual([
      0, 0,
    ]);
    expect(new Set(telemetry.finished.map(({ flags }) => flags)).size).toBeGreaterThan(3);
    expect(telemetry.finished.some(({ status, attempts }) => status === 200 && attempts > 1)).toBe(true);
    await eventually(() => outbound.wheel.size === 0);
    expect(getEventListeners(signals.signal, 'abort')).toEqual([]);
    await outbound.close({ drainMs: 100 });
    await eventually(() => sockets.size === 0);
    expect(tcpSockets()).toBeLessThanOrEqual(before);
  });

  it('cannot slip an answer into an idle connection', async () => {
    const { address, sockets } = await serveRaw((socket) => {
      socket.write(OK);
      setImmediate(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged'));
    });
    const { fetch } = live.client([cluster('upstream', [address])], route({}));
    expect(await (await fetch('http://a/')).text()).toBe('ok');
    await eventually(() => sockets.size === 0);
    expect(await (await fetch('http://a/')).text()).toBe('ok');
  });

  it('that closes idle connections costs an idempotent call nothing, and answers a POST with 503 UC', async () => {
    // Ends a connection when its second request has arrived: the race of every keep-alive timeout.
    const answered = new WeakSet<Socket>();
    let races = 1;
    const { address } = await serveRaw((socket) => {
      if (answered.has(socket) && races-- > 0) return socket.destroy();
      answered.add(socket);
      socket.write(OK);
    });
    const { fetch, telemetry } = live.client([cluster('upstream', [address])], route({}));
    for (let call = 0; call < 3; call++) expect(await (await fetch('http://a/')).text()).toBe('ok');
    expect(telemetry.finished.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(4);
    races = 1;
    const posts: [number, number | undefined][] = [];
    for (let call = 0; call < 4; call++) {
      const { status } = await fetch('http://a/', { method: 'POST', body: 'x' });
      posts.push([status, telemetry.finished.at(-1)?.attempts]);
    }
    expect(posts.sort()).toEqual([
      [200, 1],
      [200, 1],
      [200, 1],
      [503, 1],
    ]);
  });
});

describe('a client that closes', () => {
  it('leaves no socket, neither idle nor connecting', async () => {
    const { address } = await live.serve((_req, res) => res.end('ok'));
    const before = tcpSockets();
    // Takes the connection and never answers the TLS handshake.
    const { address: mute, sockets } = await serveRaw(() => undefined);
    const { outbound } = live.client([cluster('upstream', [address])], route({}));
    const { outbound: stuck } = live.client([cluster('upstream', [mute])], route({ timeoutMs: 40 }));
    const ask = (client: typeof outbound, origin: string) =>
      client.dispatcher.request({ origin, path: '/', method: 'GET' }).then(({ body }) => body.dump());
    await ask(outbound, 'http://a');
    await ask(stuck, 'https://a');
    await eventually(() => sockets.size === 1);
    const startMs = systemClock.nowMs();
    await Promise.all([outbound.close({ drainMs: 5_000 }), stuck.close({ drainMs: 100 })]);
    expect(systemClock.nowMs() - startMs).toBeLessThan(1_000);
    await eventually(() => tcpSockets() <= before);
  });
});
