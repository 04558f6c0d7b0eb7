// The examples of the packages' READMEs, run as they stand there.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Every file of one README, in a folder of its own. */
function example(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-readme-'));
  folders.push(folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const text = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8');
  for (const [, file, body] of text.matchAll(/```\w+ title="([^"]+)"\n([\s\S]*?)```/g)) {
    mkdirSync(dirname(join(folder, file!)), { recursive: true });
    writeFileSync(join(folder, file!), body!);
  }
  return folder;
}

/** Its output; rejects when it fails or does not end by itself. */
async function run(folder: string, ...args: string[]): Promise<string> {
  const options = { cwd: folder, env: { PATH: process.env['PATH'] }, timeout: 20_000 };
  return (await promisify(execFile)(process.execPath, args, options)).stdout;
}

it('@heddle/xds encodes, decodes and names a cluster', async () => {
  const output = await run(example('xds'), 'clusters.mjs');
  expect(output).toContain('type.googleapis.com/envoy.config.cluster.v3.Cluster true');
  expect(output).toContain('reviews.default.svc.cluster.local');
  expect(output).toContain('"type":"EDS"');
});

it('@heddle/core calls itself by name', async () => {
  const output = await run(example('core'), 'orders.mjs');
  expect(output).toBe('200 order /7\noutbound|8014||orders.default.svc.cluster.local\n');
});

it('@heddle/config finds the typo and the missing subset with their places', async () => {
  const output = await run(example('config'), 'check.mjs');
  expect(output).toMatch(/^reviews\.yaml:14:\d+ error \S+ .*retrys.*retries/m);
  expect(output).toMatch(/^reviews\.yaml:13:\d+ warning \S+ .*v3/m);
  expect(output).toMatch(/^DestinationRule reviews$/m);
});

it('@heddle/feed serves a mesh and its certificate', async () => {
  const output = await run(example('feed'), 'feed.mjs');
  expect(output).toBe('connected spiffe://cluster.local/ns/default/sa/hello\n');
});

it('@heddle/grpc greets over the mesh', async () => {
  expect(await run(example('grpc'), 'greeter.mjs')).toBe('hello world, request string\n');
});

it('heddle checks and explains', async () => {
  const folder = example('cli');
  const heddle = join(root, 'packages/cli/dist/main.js');
  await run(folder, heddle, 'check', 'mesh');
  const explained = await run(
    folder,
    heddle,
    'explain',
    '--mesh',
    'mesh',
    '--as',
    'reviews/v1',
    'GET',
    'http://reviews:9080/',
  );
  expect(explained).toContain('outbound|9080||reviews.default.svc.cluster.local');
});
