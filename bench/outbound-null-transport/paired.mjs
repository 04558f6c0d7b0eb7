// CPU per request of undici.request over the mesh against bare pools: separate processes, short interleaved segments, best and median.
// Usage: node bench/outbound-null-transport/paired.mjs [rounds] (after `npm run build`). The server runs in a process of its own.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
const [, , role = '3', ...rest] = process.argv;
const ENDPOINTS = 4;
const BODY = Buffer.alloc(1024, 'x');

async function server() {
  const ports = [];
  for (let index = 0; index < ENDPOINTS; index++) {
    const listening = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(BODY);
    });
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    ports.push(listening.address().port);
  }
  process.send(ports);
}

async function bareClient(addresses) {
  const { Pool } = await import('undici');
  const pools = addresses.map((address) => new Pool(`http://${address}`, { connections: 64 }));
  let next = 0;
  return () =>
    pools[next++ % pools.length].request({
      path: '/reviews/0',
      method: 'GET',
      headers: { accept: 'application/json' },
    });
}

async function meshClient(addresses) {
  const dist = '../../packages/core/dist';
  const [{ OutboundClient }, { ClusterStates }, { seededDraws }, { systemClock }, fixture] = await Promise.all(
    [
      'outbound/outbound-client.js',
      'cluster-state/cluster-states.js',
      'draws.js',
      'clock.js',
      'outbound/testing/snapshot-fixture.js',
    ].map((path) => import(`${dist}/${path}`)),
  );
  const draws = seededDraws(1);
  const policies = {
    outlier: fixture.DEFAULT_OUTLIER,
    balancer: { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 },
    limits: { ...fixture.DEFAULT_LIMITS, maxConnections: 128 },
  };
  const retry = fixture.retryPlan({ on5xx: true, reset: true }, { perTryTimeoutMs: 2_000 });
  const plan = fixture.route({ timeoutMs: 10_000, retry });
  const snapshot = fixture.snapshot([fixture.cluster('upstream', addresses, policies)], () => plan);
  const outbound = new OutboundClient({
    snapshot: () => snapshot,
    states: new ClusterStates(systemClock, draws),
    clock: systemClock,
    draws,
    security: fixture.plainSecurity,
    telemetry: new (class extends fixture.RecordingTelemetry {
      finish() {}
    })(),
  });
  return () =>
    outbound.dispatcher.request({
      origin: 'http://reviews:9080',
      path: '/reviews/0',
      method: 'GET',
      headers: { accept: 'application/json' },
    });
}

async function client(kind, concurrency, addresses) {
  const ask = await (kind === 'bare' ? bareClient(addresses) : meshClient(addresses));
  const segment = async (requests) => {
    const before = process.cpuUsage();
    let left = requests;
    const worker = async () => {
      while (left-- > 0) await (await ask()).body.dump();
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  };
  await segment(20_000);
  process.send('ready');
  process.on('message', async (requests) => process.send(await segment(requests)));
}

async function main(rounds) {
  const upstream = fork(SELF, ['server']);
  const [ports] = await once(upstream, 'message');
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
  for (const concurrency of [32, 1]) {
    const results = { bare: [], mesh: [] };
    for (let spawn = 0; spawn < rounds; spawn++) {
      const clients = {};
      for (const kind of ['bare', 'mesh']) {
        clients[kind] = fork(SELF, ['client', kind, String(concurrency), ...addresses]);
        await once(clients[kind], 'message');
      }
      for (let round = 0; round < 5; round++) {
        for (const kind of ['bare', 'mesh']) {
          clients[kind].send(concurrency === 1 ? 2_000 : 6_000);
          const [cost] = await once(clients[kind], 'message');
          results[kind].push(cost);
        }
      }
      for (const each of Object.values(clients)) each.kill();
    }
    const [bare, mesh] = [results.bare, results.mesh].map((values) => [Math.min(...values), median(values)]);
    console.log(
      `c=${concurrency}: bare best ${bare[0].toFixed(1)} median ${bare[1].toFixed(1)} us, mesh best ${mesh[0].toFixed(1)} median ${mesh[1].toFixed(1)} us, ` +
        `ratio ${(mesh[0] / bare[0]).toFixed(2)} / ${(mesh[1] / bare[1]).toFixed(2)}`,
    );
  }
  upstream.kill();
}

if (role === 'server') await server();
else if (role === 'client') await client(rest[0], Number(rest[1]), rest.slice(2));
else await main(Number(role));
