// Cost of telemetry per call, and the longest stall of a scrape. Run: node bench/telemetry.ts (after npm run build).
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { systemClock } from '../packages/core/dist/clock.js';
import { seededDraws } from '../packages/core/dist/draws.js';
import { callRecord, requestHead } from '../packages/core/dist/testing/call-records.js';
import { createTelemetry } from '../packages/core/dist/telemetry/create-telemetry.js';
import { peerMetadataHeader } from '../packages/core/dist/telemetry/metrics/peer-metadata.js';

const node = {
  workload: 'productpage-v1',
  namespace: 'default',
  labels: { app: 'productpage', version: 'v1' },
  serviceAccount: 'bookinfo-productpage',
  clusterId: 'Kubernetes',
  trustDomain: 'cluster.local',
};
const principal = 'spiffe://cluster.local/ns/default/sa/bookinfo-productpage';
const create = () =>
  createTelemetry({ node, ownPrincipal: () => principal, clock: systemClock, draws: seededDraws(1) });

/** Best and median nanoseconds per call over rounds of `count` calls. */
function measure(name: string, work: (index: number) => void, count = 1_000_000, rounds = 9): void {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let index = 0; index < count; index++) work(index);
    times.push(((performance.now() - start) * 1e6) / count);
  }
  times.sort((a, b) => a - b);
  console.log(`${name.padEnd(64)} ${times[0]!.toFixed(0)} ns best, ${times[rounds >> 1]!.toFixed(0)} ns median`);
}

const telemetry = create();
const calls = Array.from({ length: 10 }, (_, index) =>
  callRecord({
    destinationWorkload: `details-v${String(index)};default;details;v1;Kubernetes`,
    startMs: 0,
    endMs: index * 7,
  }),
);
measure('finish, outbound, 10 label sets', (index) => telemetry.outbound.finish(calls[index % 10]!));

const peer = Buffer.from(peerMetadataHeader(node));
const inbound = Array.from({ length: 10 }, (_, index) =>
  callRecord({
    reporter: 'destination',
    destinationWorkload: '',
    peerPrincipal: principal,
    mutualTls: true,
    status: index === 9 ? 503 : 200,
    // A string of its own per request, as an HTTP parser makes it.
    peerMetadata: peer.toString('latin1'),
  }),
);
measure('finish, inbound, peer metadata header of each request', (index) =>
  telemetry.inbound.finish(inbound[index % 10]!),
);

const bare = requestHead([]);
measure('inbound context, no headers', () => telemetry.inbound.contextFor(bare, 0, undefined), 300_000);
const full = requestHead([
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['x-request-id', '6b0ea2d6-5f4c-4d35-9c1f-7a4bb4d7e5b0'],
]);
measure(
  'inbound context, traceparent and x-request-id',
  () => telemetry.inbound.contextFor(full, 0, undefined),
  300_000,
);
const context = telemetry.inbound.contextFor(full, 0, undefined);
const none = () => undefined;
measure('outbound headers (request id kept, child span id made)', () =>
  telemetry.outbound.writeHeaders([], context, undefined, none),
);
measure('outbound headers, no context (ids made)', () =>
  telemetry.outbound.writeHeaders([], undefined, undefined, none),
);

const many = create();
for (let index = 0; index < 1000; index++)
  many.outbound.finish(
    callRecord({ endMs: performance.now(), destinationWorkload: `w${String(index)};default;w;v1;Kubernetes` }),
  );

const delay = monitorEventLoopDelay({ resolution: 1 });
/** Starts to watch the event loop; the monitor needs a moment before its first interval counts. */
async function watch(): Promise<void> {
  delay.reset();
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Runs one scrape and prints its size and the longest stall of the event loop since `watch`. */
async function scrape(name: string, work: () => Promise<number>): Promise<void> {
  await work();
  const bytes = await work();
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  console.log(`${name}: ${(bytes / 1e6).toFixed(1)} MB, longest stall ${(delay.max / 1e6).toFixed(1)} ms`);
}

await scrape('render of 1,000 label sets', async () => {
  await watch();
  return (await many.metrics.renderMetrics()).length;
});

// The scraper is a process of its own (unpacking in this one would be measured), and the watch begins after it was spawned.
const server = createServer((request, response) => void watch().then(() => many.listener(request, response)));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const client = `
  const { get } = require('node:http');
  get({ host: '127.0.0.1', port: ${String(port)}, path: '/metrics', headers: JSON.parse(process.argv[1]) }, (response) => {
    let bytes = 0;
    response.on('data', (chunk) => (bytes += chunk.length)).on('end', () => console.log(bytes));
  });`;
const fetchBytes = async (headers: object) =>
  Number((await promisify(execFile)(process.execPath, ['-e', client, JSON.stringify(headers)])).stdout);
await scrape('scrape of 1,000 label sets, gzip', () => fetchBytes({ 'accept-encoding': 'gzip' }));
await scrape('scrape of 1,000 label sets, plain', () => fetchBytes({}));
server.close();
