// Memory over 50,000 calls against a real upstream: the heap after each tenth, in MB. Exits 1 when it keeps growing.
// Usage: node --expose-gc bench/outbound-null-transport/memory.mjs (after `npm run build`).
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';

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

let served = 0;
const upstream = createServer((_request, response) => response.writeHead(++served % 10 === 0 ? 503 : 200).end('ok'));
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');

const draws = seededDraws(1);
const states = new ClusterStates(systemClock, draws);
const retry = fixture.retryPlan({ on5xx: true, reset: true }, { perTryTimeoutMs: 2_000, backOffBaseMs: 1 });
const plan = fixture.route({ timeoutMs: 10_000, retry });
const cluster = fixture.cluster('upstream', [`127.0.0.1:${upstream.address().port}`]);
const snapshot = fixture.snapshot([cluster], () => plan);
const telemetry = new (class extends fixture.RecordingTelemetry {
  finish() {}
})();
const outbound = new OutboundClient({
  snapshot: () => snapshot,
  states,
  clock: systemClock,
  draws,
  security: fixture.plainSecurity,
  telemetry,
});

async function calls(count) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const { body } = await outbound.dispatcher.request({ origin: 'http://reviews:9080', path: '/', method: 'GET' });
      await body.dump();
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

const heaps = [];
for (let tenth = 0; tenth < 10; tenth++) {
  await calls(5_000);
  await turn();
  globalThis.gc?.();
  heaps.push(process.memoryUsage().heapUsed / 1_048_576);
}
console.log(heaps.map((heap) => heap.toFixed(1)).join(' '));
const grownMb = heaps[9] - heaps[2];
console.log(`grown from the third to the last tenth: ${grownMb.toFixed(2)} MB; open calls ${outbound.activeCalls}`);
await outbound.close();
upstream.close();
process.exitCode = grownMb > 1 ? 1 : 0;
