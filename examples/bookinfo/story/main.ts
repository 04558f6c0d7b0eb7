// The demo's command: starts everything for real, tells the story once (`--once`, `--json`) or shows it live until Ctrl-C.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMesh, type Mesh } from '@heddle/core';
import { BookinfoProcesses } from './bookinfo-processes.js';
import { watchLive } from './live-view.js';
import { startTracing } from '../services/tracing.js';
import type { StoryContext } from './story.js';
import { tellStory } from './tell.js';

const EXAMPLE = fileURLToPath(new URL('../../', import.meta.url));

/** Returns the exit code: 0, or 1 when a step of `--once` was not as expected or nothing could start. */
export async function main(args: readonly string[]): Promise<number> {
  const work = await mkdtemp(join(tmpdir(), 'heddle-bookinfo-'));
  const meshFolder = join(work, 'mesh');
  await cp(join(EXAMPLE, 'mesh'), meshFolder, { recursive: true });
  const feedAddress = `127.0.0.1:${await freePort()}`;
  const processes = new BookinfoProcesses(meshFolder, feedAddress, (line) => {
    if (args.includes('--verbose')) process.stderr.write(`${line}\n`);
  });
  try {
    return await play(args, processes, meshFolder, feedAddress);
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`the demo could not run: ${reason}\n`);
    return 1;
  } finally {
    await processes.stop();
    await rm(work, { recursive: true, force: true });
  }
}

async function play(
  args: readonly string[],
  processes: BookinfoProcesses,
  meshFolder: string,
  feedAddress: string,
): Promise<number> {
  const json = args.includes('--json');
  const print = (line: string) => process.stdout.write(`${line}\n`);
  if (!json) print('starting the feed, its CA and seven service instances ...');
  startTracing('gateway', (spans) => processes.spans.push(...spans));
  await processes.startFeed();
  await processes.startServices();
  const meshAs = (service: string) => meshOf(service, feedAddress);
  const gateway = await meshAs('gateway');
  const policiesFolder = join(EXAMPLE, 'policies');
  const context: StoryContext = { processes, gateway, meshAs, meshFolder, policiesFolder, notes: new Map() };
  try {
    if (!json && !args.includes('--once')) await watchLive(context, print, untilInterrupted());
    else if ((await tellStory(context, { json, print })).length > 0) return 1;
    return 0;
  } finally {
    await gateway.close();
  }
}

function meshOf(service: string, feedAddress: string): Promise<Mesh> {
  return createMesh({
    service: { name: service, namespace: 'bookinfo' },
    feed: `xds://${feedAddress}`,
    handleSignals: false,
    log: 'error',
  });
}

function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}

/** A port that is free now; the feed keeps it across its restart. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
