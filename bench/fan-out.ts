// How long one edit takes to reach 1,000 subscribers: from the write of the file to the receipt by each, over ADS streams of their own.
// Run: node bench/fan-out.ts [--subscribers N] [--processes N] [--edits N] (after npm run build).
import { parseArgs } from 'node:util';
import type { Receipts, SubscribersSpec } from './fan-out/subscribers.ts';
import { manyServices } from './scale/many-services.ts';
import { Child } from './support/child.ts';
import { startFeedProcess } from './support/feed-process.ts';
import { median, quantile } from './support/statistics.ts';

const GOAL_MS = 1000;
const SERVICES = 20;
const { values: flags } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '4' },
    edits: { type: 'string', default: '5' },
  },
});
const processes = Number(flags.processes);
const perProcess = Math.ceil(Number(flags.subscribers) / processes);

const feed = await startFeedProcess(manyServices(SERVICES, 0));
const groups = await Promise.all(
  Array.from({ length: processes }, async (_, index) => {
    const spec: SubscribersSpec = { feedUrl: feed.url, count: perProcess, first: index * perProcess };
    const [group] = await Child.start('fan-out/subscribers.ts', spec);
    return group;
  }),
);
console.log(`${perProcess * processes} subscribers in ${processes} processes, a mesh of ${SERVICES} services`);
for (let edit = 1; edit <= Number(flags.edits); edit++) {
  await Promise.all(groups.map((group) => group.ask('watch')));
  const files = Object.entries(manyServices(SERVICES, edit));
  const editedMs = performance.timeOrigin + performance.now();
  for (const [name, text] of files) feed.write(name, text);
  const received = (await Promise.all(groups.map((group) => group.ask<Receipts>('receipts')))).flat();
  const tookMs = received.map((atMs) => atMs - editedMs);
  const [p50, p99, max] = [median(tookMs), quantile(tookMs, 0.99), Math.max(...tookMs)];
  console.log(
    `edit ${edit}: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, last ${max.toFixed(0)} ms   goal ${GOAL_MS} ms`,
  );
}
await Promise.all(groups.map((group) => group.stop()));
await feed.stop();
