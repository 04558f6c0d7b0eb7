// A network namespace with nothing but loopback, for programs that bind to every address: there nobody else reaches them (Linux, util-linux).
import { execFile, execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EnvoySecrets } from '../envoy-secrets.js';
import type { EnvoyNode } from './envoy-bootstrap.js';
import { orFailInCi, type Part } from './part-store.js';

const inNamespace = ['--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

export function networkNamespace(): Part<true> {
  try {
    execFileSync('unshare', [...inNamespace, 'true'], { stdio: 'pipe' });
    return { available: true, value: true };
  } catch (error) {
    return orFailInCi({ available: false, reason: `no network namespace can be made: ${String(error)}` });
  }
}

export interface NamespacedEnvoy {
  readonly envoy: string;
  /** Files and folders of configuration that the feed inside serves. */
  readonly paths: readonly string[];
  readonly node: EnvoyNode;
  readonly secrets: EnvoySecrets;
  readonly api: 'DELTA_GRPC' | 'GRPC';
}

/** Envoy's config_dump after it took everything that the feed has for this node. */
export function configDumpOf(options: NamespacedEnvoy): Promise<unknown> {
  const script = fileURLToPath(new URL('envoy-in-namespace.mjs', import.meta.url));
  const plan = JSON.stringify({ ...options, heddle: resolve('packages/cli/dist/main.js') });
  const args = [...inNamespace, process.execPath, '--no-warnings', script, plan];
  return new Promise((done, reject) => {
    execFile('unshare', args, { timeout: 45_000, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) done(JSON.parse(stdout));
      else reject(new Error(`Envoy in its namespace: ${stderr}`, { cause: error }));
    });
  });
}
