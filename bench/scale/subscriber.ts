// A process that joins the mesh, or, for comparison, only loads undici and grpc-js; it tells its memory and its longest stalls.
import type { Mesh } from '@heddle/core';
import { childSpec, serveParent, tellParent } from '../support/child.ts';
import { LoopWatch, type Stall } from '../support/loop-stall.ts';

export interface SubscriberSpec {
  /** Undefined: the idle process. */
  readonly feed?: string;
  /** Watch the event loop. The watch makes garbage of its own: memory is told by a process that does not. */
  readonly watch?: boolean;
}

export interface Memory {
  readonly residentMb: number;
  readonly heapMb: number;
}

export interface Joined extends Memory {
  readonly readyMs: number;
  /** While createMesh loads what it needs, before there is any traffic. */
  readonly startStall: Stall;
  readonly stall: Stall;
}

export interface Changed extends Memory {
  readonly stall: Stall;
  readonly views: number;
}

/** Nothing new for this long: the change is through. */
const QUIET_MS = 1_500;
const NO_STALL: Stall = { wallMs: 0, cpuMs: 0 };

const { feed, watch: watching } = childSpec() as SubscriberSpec;
const collect = globalThis.gc ?? (() => undefined);

async function idle(): Promise<void> {
  const [{ Pool }, { Client, credentials }] = await Promise.all([import('undici'), import('@grpc/grpc-js')]);
  const kept = [new Pool('http://127.0.0.1:9'), new Client('127.0.0.1:9', credentials.createInsecure())];
  serveParent(() => kept.length);
  tellParent(await memory());
}

async function subscribe(url: string): Promise<void> {
  const { createMesh } = await import('@heddle/core');
  const watch = watchLoop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  watch?.take();
  const begun = performance.now();
  const mesh = await createMesh({
    service: { name: 'caller', namespace: 'shop' },
    feed: url,
    identity: 'none',
    instanceIp: '127.0.2.1',
    // Returns once everything is loaded and the connection is on its way: that is the start, not the push.
    startTimeoutMs: 0,
  });
  // The watch sees a turn when it is over.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  const startStall = watch?.take() ?? NO_STALL;
  await mesh.ready({ timeoutMs: 60_000 });
  const readyMs = performance.now() - begun;
  // The view in force is compiled in slices after it is ready, and on first use.
  await quiet(mesh);
  const stall = watch?.stop() ?? NO_STALL;
  serveParent(() => change(mesh));
  tellParent({ readyMs, startStall, stall, ...(await memory()) } satisfies Joined);
}

/** Waits for the next configuration and tells what taking it cost. */
async function change(mesh: Mesh): Promise<Changed> {
  const before = generation(mesh);
  tellParent('watching');
  const watch = watchLoop();
  while (generation(mesh) === before) await new Promise((resolve) => setTimeout(resolve, 20));
  await quiet(mesh);
  return { stall: watch?.stop() ?? NO_STALL, views: generation(mesh) - before, ...(await memory()) };
}

function watchLoop(): LoopWatch | undefined {
  return watching === true ? new LoopWatch() : undefined;
}

function generation(mesh: Mesh): number {
  return mesh.internals.snapshot().generation;
}

async function quiet(mesh: Mesh): Promise<void> {
  let seen = generation(mesh);
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < QUIET_MS) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (generation(mesh) === seen) continue;
    seen = generation(mesh);
    sinceMs = performance.now();
  }
}

async function memory(): Promise<Memory> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentMb: rss / 2 ** 20, heapMb: (heapUsed + external) / 2 ** 20 };
}

if (feed === undefined) await idle();
else await subscribe(feed);
