// Many services in one subscriber: resident memory over an idle process, time to ready, and the longest stall of the event loop at the first push and
// when everything changes; from a feed process and from a folder in the process itself. Run: node bench/scale.ts [SERVICES…] (after npm run build).
import { rmSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { ENDPOINTS_PER_SERVICE, manyServices } from './scale/many-services.ts';
import type { Changed, Joined, Memory } from './scale/subscriber.ts';
import { Child } from './support/child.ts';
import { startFeedProcess, writeFolder } from './support/feed-process.ts';
import type { Stall } from './support/loop-stall.ts';

/** Megabytes over the idle process (design, numbers to reach). */
const MEMORY_GOALS_MB: Readonly<Record<number, number>> = { 100: 15, 1000: 25 };
const STALL_GOAL_MS = 8;
const PLAIN = ['--expose-gc'];
/** Without V8's optimizing compilers and with a small young generation: what is left over is what the mesh itself holds. */
const LEAN = [...PLAIN, '--no-opt', '--no-maglev', '--no-sparkplug', '--max-semi-space-size=2'];

interface Memories {
  readonly plain: Memory;
  readonly lean: Memory;
}

interface Source {
  readonly feed: string;
  write(name: string, text: string): void;
  stop(): Promise<void> | void;
}

async function measure(
  name: string,
  services: number,
  idle: Memories,
  open: (files: Record<string, string>) => Promise<Source>,
): Promise<void> {
  const source = await open(manyServices(services, 0));
  const [quiet, resting] = await join(source, false);
  const [small, lean] = await join(source, false, LEAN);
  const [watched, joined] = await join(source, true);
  for (const subscriber of [quiet, small, watched]) await subscriber.ask('change');
  const changing = Promise.all([quiet.next<Changed>(), small.next<Changed>(), watched.next<Changed>()]);
  for (const [file, text] of Object.entries(manyServices(services, 1))) source.write(file, text);
  const [after, leanAfter, changed] = await changing;
  for (const subscriber of [quiet, small, watched]) await subscriber.stop();
  await source.stop();
  console.log(`
${services} services x ${ENDPOINTS_PER_SERVICE} endpoints, ${name}`);
  reportMemory('first', services, idle, { plain: resting, lean });
  reportMemory('after a change of everything', services, idle, { plain: after, lean: leanAfter });
  report(joined, changed);
}

/** Memory and stalls are told by processes of their own: watching the loop costs memory itself. */
function join(source: Source, watch: boolean, nodeOptions: readonly string[] = PLAIN): Promise<[Child, Joined]> {
  return Child.start<Joined>('scale/subscriber.ts', { feed: source.feed, watch }, { nodeOptions });
}

function reportMemory(when: string, services: number, idle: Memories, { plain, lean }: Memories): void {
  const goalMb = MEMORY_GOALS_MB[services];
  const over = (to: number, from: number): string => `${(to - from).toFixed(1)} MB`;
  console.log(
    `  memory over idle, ${when}: resident ${over(plain.residentMb, idle.plain.residentMb)}, ` +
      `without V8's compilers and young generation ${over(lean.residentMb, idle.lean.residentMb)}, ` +
      `heap and buffers ${over(plain.heapMb, idle.plain.heapMb)}${goalMb === undefined ? '' : `   goal ${goalMb} MB`}`,
  );
}

function report(joined: Joined, changed: Changed): void {
  const goal = `   goal ${STALL_GOAL_MS} ms`;
  console.log(`  ready after ${joined.readyMs.toFixed(0)} ms`);
  console.log(`  longest stall, createMesh before the first push: ${stallText(joined.startStall)}`);
  console.log(`  longest stall, first push: ${stallText(joined.stall)}${goal}`);
  console.log(`  longest stall, change of everything: ${stallText(changed.stall)} in ${changed.views} views${goal}`);
}

function stallText({ wallMs, cpuMs }: Stall): string {
  return `${cpuMs.toFixed(1)} ms of CPU (${wallMs.toFixed(1)} ms by the clock)`;
}

async function idleMemory(nodeOptions: readonly string[]): Promise<Memory> {
  const [child, memory] = await Child.start<Memory>('scale/subscriber.ts', {}, { nodeOptions });
  await child.stop();
  return memory;
}

async function feedSource(files: Record<string, string>): Promise<Source> {
  const feed = await startFeedProcess(files);
  return { feed: feed.url, write: (name, text) => feed.write(name, text), stop: () => feed.stop() };
}

function folderSource(files: Record<string, string>): Promise<Source> {
  const folder = writeFolder(files);
  return Promise.resolve({
    feed: folder,
    write: (name, text) => writeFileSync(joinPath(folder, name), text),
    stop: () => rmSync(folder, { recursive: true, force: true }),
  });
}

const sizes = process.argv.slice(2).map(Number);
const idle: Memories = { plain: await idleMemory(PLAIN), lean: await idleMemory(LEAN) };
console.log(`idle process with undici and grpc-js: ${idle.plain.residentMb.toFixed(0)} MB resident`);
for (const services of sizes.length === 0 ? [100, 1000] : sizes) {
  await measure('feed process', services, idle, feedSource);
  await measure('folder in process', services, idle, folderSource);
}
