// A service that starts once and says how long each part took. Nothing of Heddle is loaded before the first reading of the clock.
import { childSpec, tellParent } from '../support/child.ts';
import type { MeshOptions } from '@heddle/core';

export interface StartupSpec {
  readonly feed: string;
  readonly identity: 'none' | 'heddle-ca';
}

/** Milliseconds, by the clock and of CPU of all threads. */
export interface StartupFigures {
  readonly importMs: number;
  readonly createMs: number;
  readonly importCpuMs: number;
  readonly createCpuMs: number;
}

const { feed, identity } = childSpec() as StartupSpec;
const options: MeshOptions = {
  service: { name: 'productpage', namespace: 'bookinfo', labels: { app: 'productpage', version: 'v1' } },
  feed,
  identity,
  log: 'warn',
  handleSignals: false,
};

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

const start = { ms: performance.now(), cpuMs: cpuMs() };
const { createMesh } = await import('@heddle/core');
const imported = { ms: performance.now(), cpuMs: cpuMs() };
const mesh = await createMesh(options);
const ready = { ms: performance.now(), cpuMs: cpuMs() };
tellParent({
  importMs: imported.ms - start.ms,
  createMs: ready.ms - imported.ms,
  importCpuMs: imported.cpuMs - start.cpuMs,
  createCpuMs: ready.cpuMs - imported.cpuMs,
} satisfies StartupFigures);
process.on('disconnect', () => process.exit(0));
await mesh.close({ drainMs: 0 });
