// Inside a network namespace of its own (envoy-namespace.ts): the built feed over a folder and a real Envoy that takes everything from it, its
// listeners included, which bind to every address. Prints Envoy's config_dump when nothing warms any more.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEnvoySecrets } from '../envoy-secrets.ts';
import { envoyBootstrap } from './envoy-bootstrap.ts';

const { envoy, heddle, paths, secrets, node, api } = JSON.parse(process.argv[2]);
// The namespace is ours alone: so are its ports.
const feedPort = 15_010;
const adminPort = 15_000;
const work = mkdtempSync(join(tmpdir(), 'heddle-envoy-'));
const children = [];

function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (child.text += text));
  children.push(child);
  return child;
}

async function until(what, look) {
  const endMs = performance.now() + 20_000;
  while (performance.now() < endMs) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 20 s: ${what}\n${children.map(({ text }) => text).join('\n')}`);
}

// The test gave up: nothing may stay behind.
process.on('SIGTERM', () => {
  for (const child of children) child.kill('SIGKILL');
  process.exit(1);
});
const ask = (path) => fetch(`http://127.0.0.1:${adminPort}${path}`).catch(() => undefined);
const secretServer = await startEnvoySecrets(secrets);
try {
  const feed = start(process.execPath, [heddle, 'feed', ...paths, '--listen', `127.0.0.1:${feedPort}`, '--no-ca']);
  await until('the feed listens', () => feed.text.includes('listening on'));
  const file = join(work, 'bootstrap.json');
  const bootstrap = envoyBootstrap({
    node,
    feedPort,
    secretsPort: secretServer.port,
    adminPort,
    api,
    listenersFromFeed: true,
  });
  writeFileSync(file, JSON.stringify(bootstrap));
  start(envoy, ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'warning']);
  await until('Envoy is live', async () => (await ask('/ready'))?.status === 200);
  const dump = await until('nothing warms', async () => {
    const text = await (await ask('/config_dump?include_eds')).text();
    return /"warming_state"|"dynamic_warming_clusters"/.test(text) ? undefined : text;
  });
  process.stdout.write(dump);
} finally {
  secretServer.close();
  for (const child of children) {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  rmSync(work, { recursive: true, force: true });
}
