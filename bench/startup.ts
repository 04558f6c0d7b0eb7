// Start of a service: `import '@heddle/core'` and createMesh until ready, from the files of examples/bookinfo and from a feed on this
// host with its certificate authority. `node bench/startup.ts [STARTS]`; 10 starts unless told.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './support/child.ts';
import { startFeedProcess } from './support/feed-process.ts';
import { best, median } from './support/statistics.ts';
import type { StartupFigures, StartupSpec } from './startup/service.ts';

const GOAL_MS = 120;
const starts = Number(process.argv[2] ?? 10);
const folder = fileURLToPath(new URL('../examples/bookinfo/mesh', import.meta.url));

async function startOnce(spec: StartupSpec): Promise<StartupFigures> {
  const [child, figures] = await Child.start<StartupFigures>('startup/service.ts', spec);
  await child.stop();
  return figures;
}

const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const feed = await startFeedProcess(files);
const variants: readonly (readonly [string, StartupSpec])[] = [
  ['from files', { feed: folder, identity: 'none' }],
  ['from a feed, with a certificate', { feed: feed.url, identity: 'heddle-ca' }],
];
const measured = variants.map(([name, spec]) => ({ name, spec, figures: [] as StartupFigures[] }));
try {
  // The first start of each reads the disk; the others take turns, so that a busy moment of the machine hits both.
  for (const { spec } of measured) await startOnce(spec);
  for (let round = 0; round < starts; round += 1)
    for (const { spec, figures } of measured) figures.push(await startOnce(spec));
} finally {
  await feed.stop();
}

const cell = (values: readonly number[]): string => `${median(values).toFixed(0)} (${best(values).toFixed(0)})`;
console.log(`median (best) of ${starts} starts, milliseconds; goal: ${GOAL_MS} to ready\n`);
console.table(
  Object.fromEntries(
    measured.map(({ name, figures }) => [
      name,
      {
        import: cell(figures.map(({ importMs }) => importMs)),
        createMesh: cell(figures.map(({ createMs }) => createMs)),
        'to ready': cell(figures.map(({ importMs, createMs }) => importMs + createMs)),
        'CPU to ready': cell(figures.map(({ importCpuMs, createCpuMs }) => importCpuMs + createCpuMs)),
      },
    ]),
  ),
);
