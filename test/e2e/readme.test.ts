// The README's own words, run: its files as they stand there, with its commands' environment.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'heddle-readme-'));
const heddle = join(root, 'packages/cli/dist/main.js');
const children: ChildProcess[] = [];

/** Fenced blocks that name a file, by that name. */
function filesOfReadme(): Map<string, string> {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const blocks = text.matchAll(/```\w+ title="([^"]+)"\n([\s\S]*?)```/g);
  return new Map([...blocks].map(([, name, body]) => [name!, body!]));
}

function environment(service: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HEDDLE_FEED: 'mesh', HEDDLE_SERVICE: service, ...more };
}

function start(file: string, env: NodeJS.ProcessEnv): void {
  children.push(spawn(process.execPath, [file], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] }));
}

const answers = async (url: string): Promise<boolean> => (await fetch(url).catch(() => undefined))?.ok === true;

beforeAll(async () => {
  for (const [name, body] of filesOfReadme()) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), body);
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  start('hello.mjs', environment('hello', { HEDDLE_LABELS: 'version=v1', INSTANCE_IP: '127.0.0.11' }));
  start('hello.mjs', environment('hello', { HEDDLE_LABELS: 'version=v2', INSTANCE_IP: '127.0.0.12' }));
  start('express.mjs', environment('productpage', { INSTANCE_IP: '127.0.0.13' }));
  await eventually('hello v1 answers', () => answers('http://127.0.0.11:8000/'));
  await eventually('hello v2 answers', () => answers('http://127.0.0.12:8000/'));
});

afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

it('answers the caller of the sixty seconds from both versions, and jason from v2', () => {
  const output = execFileSync(process.execPath, ['caller.mjs'], {
    cwd: folder,
    env: environment('caller'),
    encoding: 'utf8',
  });
  const lines = output.trim().split('\n');
  expect(lines).toHaveLength(21);
  expect(lines.slice(0, 20).every((line) => /^hello from version=v[12]$/.test(line))).toBe(true);
  expect(lines.slice(0, 20)).toContain('hello from version=v1');
  expect(lines[20]).toBe('jason: hello from version=v2');
});

it('serves the Express example, which calls through the mesh', async () => {
  const url = 'http://127.0.0.13:9080/productpage';
  await eventually('the Express example answers', () => answers(url));
  const page = (await (await fetch(url)).json()) as { hello: string };
  expect(page.hello).toMatch(/^hello from version=v[12]\n$/);
});

it('explains and checks as shown', () => {
  const explained = execFileSync(
    process.execPath,
    [heddle, 'explain', '--mesh', 'mesh', '--as', 'hello/v1', 'GET', 'http://hello:8000/', '-H', 'end-user: jason'],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(explained).toContain('outbound|8000|v2|hello.default.svc.cluster.local');
  expect(() => execFileSync(process.execPath, [heddle, 'check', 'mesh'], { cwd: folder, stdio: 'pipe' })).not.toThrow();
});
