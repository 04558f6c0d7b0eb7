// The guides, held to the code: their YAML is checked as `heddle check` would, their programs run, their test file passes.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { checkConfig, type LoadedConfig, loadText } from '@heddle/config';
import { eventually } from '../support/eventually.js';
import { startFeed } from '../support/processes/feed-process.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guides = join(root, 'docs/guide');
const pages = readdirSync(guides).filter((file) => file.endsWith('.md'));
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const textOf = (page: string): string => readFileSync(join(guides, page), 'utf8');

/** Who there is in the guides' mesh. */
const services = ['web', 'reviews', 'ratings', 'ratings-v1', 'ratings-v2']
  .map(
    (name, index) => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}-pod, labels: { app: ${name}, version: v1 } }
status: { podIP: 10.0.1.${String(index)} }
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}-canary, labels: { app: ${name}, version: v2 } }
status: { podIP: 10.0.2.${String(index)} }
`,
  )
  .join('---');

/** The page's blocks in reading order; an object that comes again replaces its former edition, as an edit of the file would. */
function editionsOf(page: string): LoadedConfig[] {
  const blocks = [...textOf(page).matchAll(/```yaml(?: title="[^"]+")?\n([\s\S]*?)```/g)].map(([, body]) => body!);
  const own = blocks.some((block) => /kind: Service\n/.test(block)) ? '' : services;
  const loaded = [own, ...blocks].map((block, index) => loadText(block, `${page} block ${String(index)}`));
  return loaded.slice(1).map((_, last) => {
    const parts = loaded.slice(0, last + 2);
    const objects = parts.flatMap((part) => part.objects);
    const keyed = new Map(objects.map((one) => [`${one.kind} ${one.metadata.namespace} ${one.metadata.name}`, one]));
    const findings = parts.flatMap((part) => part.findings);
    return { objects: [...keyed.values()], rejected: [], unread: [], findings, files: [] };
  });
}

describe.each(pages)('%s', (page) => {
  it('shows only configuration without an error or a warning', () => {
    for (const edition of editionsOf(page)) {
      const findings = checkConfig(edition).filter(({ level }) => level !== 'info');
      expect(findings.map(({ file, position, message }) => `${file!}:${String(position?.line)} ${message}`)).toEqual(
        [],
      );
    }
  });

  it('links to pages that exist', () => {
    const links = [...textOf(page).matchAll(/\]\(([^):#]+\.md)/g)].map(([, link]) => join(guides, link!));
    for (const link of links) expect(() => readFileSync(link)).not.toThrow();
  });
});

it('has configuration to check', () => {
  expect(editionsOf('canary.md').length).toBeGreaterThan(3);
  expect(editionsOf('getting-started.md')).toHaveLength(2);
});

/** The page's named files, in a folder of their own. */
function filesOf(page: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-guide-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [, file, body] of textOf(page).matchAll(/```\w+ title="([^"]+)"\n([\s\S]*?)```/g)) {
    mkdirSync(dirname(join(folder, file!)), { recursive: true });
    writeFileSync(join(folder, file!), body!);
  }
  return folder;
}

function start(cwd: string, file: string, env: Record<string, string>): void {
  const child: ChildProcess = spawn(process.execPath, [file], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  cleanups.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
}

it('testing.md: its test file passes', async () => {
  const options = { cwd: filesOf('testing.md'), env: { PATH: process.env['PATH'] }, timeout: 25_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', 'reviews.test.mjs'], options);
  expect(stdout).toMatch(/pass 5\n/);
  expect(stdout).toMatch(/fail 0\n/);
});

it('getting-started.md: two services, mutual TLS between them', async () => {
  const folder = filesOf('getting-started.md');
  const feed = await startFeed(join(folder, 'mesh'));
  cleanups.push(() => feed.stop());
  const HEDDLE_FEED = `xds://${feed.address}`;
  const quotes = { HEDDLE_SERVICE: 'quotes', HEDDLE_LABELS: 'version=v1', INSTANCE_IP: '127.0.0.42' };
  start(folder, 'quotes.mjs', { HEDDLE_FEED, ...quotes });
  start(folder, 'web.mjs', { HEDDLE_FEED, HEDDLE_SERVICE: 'web', INSTANCE_IP: '127.0.0.41' });
  const answer = await eventually('web answers', async () => {
    const response = await fetch('http://127.0.0.41:8000/').catch(() => undefined);
    return response?.ok === true ? response.text() : undefined;
  });
  expect(answer).toBe('for spiffe://cluster.local/ns/default/sa/web\n');
  await expect(fetch('http://127.0.0.42:8000/')).rejects.toThrow('fetch failed');
});
