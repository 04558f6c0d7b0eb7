// What callers notice when the feed dies, certificates end and instances are replaced: nothing. Real processes, real sockets.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDevCa, folderSource, startFeedServer, type FeedServer } from '../../packages/feed/src/index.js';
import { eventually } from '../support/eventually.js';
import { startFeed, type FeedProcess } from '../support/processes/feed-process.js';
import { freePort } from '../support/processes/free-port.js';
import { meshFolder, serviceWithPods, strictMutualTls, type MeshFolder } from '../support/processes/mesh-folder.js';
import { startService, type LoadReport, type MeshProcess } from '../support/processes/mesh-process.js';
import { runScript } from '../support/processes/run-script.js';

const url = 'http://web/';
const routing = (timeout: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec:
  hosts: [web]
  http:
    - route: [{ destination: { host: web } }]
      timeout: ${timeout}
      retries: { attempts: 2, retryOn: '5xx,reset,connect-failure' }
`;

/** With turns, a retry always meets the other instance; the least busy of two random ones can be the dead one again, as in Envoy. */
const inTurns = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { host: 'web', trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } } },
};

let folder: MeshFolder;
let port: number;
const ips = ['127.32.1.11', '127.32.1.12'] as const;
const started: MeshProcess[] = [];

async function start(feed: string, name: string, ip: string, serves: boolean): Promise<MeshProcess> {
  const service = serves ? 'web' : 'client';
  const common = { name, service, namespace: 'shop', ip, feed: `xds://${feed}` };
  const child = await startService(serves ? { ...common, port } : common);
  started.push(child);
  return child;
}
const startBoth = (feed: string) => Promise.all(ips.map((ip, index) => start(feed, `web-${index}`, ip, true)));
const startClient = (feed: string) => start(feed, 'client-0', '127.32.1.31', false);

/** Load goes on for this many more calls. */
async function more(client: MeshProcess, calls: number): Promise<LoadReport> {
  const { total } = await client.loadSoFar();
  return eventually(`${calls} more calls`, async () => {
    const report = await client.loadSoFar();
    return report.total >= total + calls && report;
  });
}
const timeoutMsOf = async (client: MeshProcess) => {
  const { outcome } = await client.explain({ url });
  return outcome.kind === 'forward' ? outcome.timeoutMs : undefined;
};

beforeAll(async () => {
  folder = await meshFolder();
  port = await freePort(ips[0]);
  const pods = ips.map((ip, index) => ({ name: `web-${index}`, service: 'web', ip }));
  await folder.write('web.yaml', [...serviceWithPods('shop', 'web', port, pods), strictMutualTls('shop'), inTurns]);
  await folder.write('routing.yaml', routing('3s'));
});
afterAll(() => folder.remove());
afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()));
});

describe('the feed is killed under load', () => {
  let feed: FeedProcess;
  let caDir: MeshFolder;
  beforeAll(async () => {
    caDir = await meshFolder();
    feed = await startFeed(folder.path, { caDir: caDir.path });
  });
  afterAll(async () => {
    await feed.stop();
    await caDir.remove();
  });

  it('fails no request, and brings the new configuration when it is back', async () => {
    await startBoth(feed.address);
    const client = await startClient(feed.address);
    await client.load({ url });
    await more(client, 100);
    await feed.kill();
    await eventually('the client notices', async () => (await client.status()).feed.phase === 'disconnected');
    await folder.write('routing.yaml', routing('7s'));
    await more(client, 500);
    expect(await timeoutMsOf(client)).toBe(3_000);
    feed = await startFeed(folder.path, { caDir: caDir.path, listen: feed.address });
    await eventually('the edit made meanwhile arrives', async () => (await timeoutMsOf(client)) === 7_000, {
      withinMs: 20_000,
    });
    await more(client, 100);
    expect((await client.stopLoad()).failures).toEqual([]);
  });
});

it('a service that starts while the feed is down is told so in bounded time', async () => {
  const nobody = await freePort();
  const script = `
    import { createMesh } from '@heddle/core';
    const startMs = performance.now();
    const error = await createMesh({ startTimeoutMs: 1500 }).then(() => undefined, (reason) => reason);
    console.log(JSON.stringify({ code: error?.code, message: error?.message, tookMs: performance.now() - startMs }));
  `;
  const { code, stdout } = await runScript(script, { HEDDLE_FEED: `xds://127.0.0.1:${nobody}`, HEDDLE_LOG: 'silent' });
  expect(code).toBe(0);
  const { tookMs, ...error } = JSON.parse(stdout) as { code: string; message: string; tookMs: number };
  expect(error.code).toBe('FEED_UNAVAILABLE');
  expect(error.message).toContain(`127.0.0.1:${nobody}`);
  expect(tookMs).toBeLessThan(4_000);
});

describe('certificates that live six seconds', () => {
  let feed: FeedServer;
  beforeAll(async () => {
    const ca = await createDevCa({ lifetimeMs: 6_000 });
    feed = await startFeedServer({ source: folderSource([folder.path]), services: [ca.service] });
  });
  afterAll(() => feed.close());

  it('are replaced under load without a failed request', async () => {
    const servers = await startBoth(feed.address);
    const client = await startClient(feed.address);
    const notAfter = () =>
      Promise.all(
        [client, ...servers].map(async (child) => Date.parse((await child.status()).identity.notAfter ?? '')),
      );
    const first = await notAfter();
    await client.load({ url });
    await eventually(
      'everybody has the third certificate, the first is over',
      async () =>
        (await notAfter()).every((time, index) => time > first[index]! + 4_500) &&
        Date.now() > Math.max(...first) + 500,
      { withinMs: 20_000 },
    );
    const { total, failures } = await client.stopLoad();
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThan(500);
    const seen = (await Promise.all(servers.map((server) => server.seen()))).flat();
    expect(new Set(seen.map(({ peer }) => peer))).toEqual(new Set(['spiffe://cluster.local/ns/shop/sa/client']));
  });

  // Slow answers: something is in flight at the signal. Quick ones: something is on its way to an idle connection, and a POST can't be sent again.
  it.each([
    ['slow GET', 'GET', 20],
    ['quick POST', 'POST', 0],
  ] as const)('do not stop a rolling restart: SIGTERM loses no %s and ends with code 0', async (_, method, delayMs) => {
    let servers = await startBoth(feed.address);
    for (const server of servers) await server.behave({ delayMs });
    const client = await startClient(feed.address);
    await client.load({ url, method, concurrency: 8 });
    await more(client, 200);
    for (const [index, ip] of ips.entries()) {
      const exit = await servers[index]!.stop();
      expect(exit).toEqual({ code: 0, signal: null });
      await more(client, 100);
      const next = await start(feed.address, `web-${index}`, ip, true);
      servers = servers.map((server, place) => (place === index ? next : server));
      await eventually('the new one is called', async () => (await next.seen()).length > 0, { withinMs: 15_000 });
    }
    expect((await client.stopLoad()).failures).toEqual([]);
  });
});
