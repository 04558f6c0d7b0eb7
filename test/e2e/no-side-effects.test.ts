// What a process that uses Heddle must not notice: a changed fetch, an exit that never comes, sockets and timers that pile up.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFeed, type FeedProcess } from '../support/processes/feed-process.js';
import { freePort } from '../support/processes/free-port.js';
import { meshFolder, serviceWithPods, strictMutualTls, type MeshFolder } from '../support/processes/mesh-folder.js';
import { startService, type MeshProcess } from '../support/processes/mesh-process.js';
import { runScript } from '../support/processes/run-script.js';

/** The last line of a script's output, which is its finding. */
async function finding(script: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const { code, stdout, stderr } = await runScript(script, env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

const dispatcherOf = `
  // The built-in fetch takes its dispatcher from this global; a library that puts its own there changes everybody's fetch.
  const dispatcherOf = () => globalThis[Symbol.for('undici.globalDispatcher.1')];
  await fetch('data:text/plain,hello');
  const before = dispatcherOf();
`;

describe('a process that only imports @heddle/core', () => {
  it('keeps the dispatcher of the built-in fetch, and ends by itself', async () => {
    const found = await finding(`
      ${dispatcherOf}
      await import('@heddle/core');
      console.log(JSON.stringify({ same: dispatcherOf() === before, resources: process.getActiveResourcesInfo().filter((name) => name === 'Timeout') }));
    `);
    expect(found).toEqual({ same: true, resources: [] });
  });

  it('keeps it when the import comes before the first fetch, and fetch works', async () => {
    const found = await finding(`
      import { createServer } from 'node:http';
      import { createMesh } from '@heddle/core';
      const server = createServer((request, response) => response.end('plain')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const mesh = await createMesh({ identity: 'none' });
      const url = 'http://127.0.0.1:' + server.address().port + '/';
      const texts = [await (await mesh.fetch(url)).text(), await (await fetch(url)).text()];
      const maker = globalThis[Symbol.for('undici.globalDispatcher.1')]?.constructor;
      const { Agent } = await import('undici');
      await mesh.close();
      server.close();
      console.log(JSON.stringify({ texts, ours: maker === Agent }));
      server.closeAllConnections();
    `);
    expect(found).toEqual({ texts: ['plain', 'plain'], ours: false });
  });
});

describe('a process that joins the mesh', () => {
  let folder: MeshFolder;
  let feed: FeedProcess;
  let web: MeshProcess;
  const ip = '127.34.1.11';
  const environment = () => ({
    HEDDLE_FEED: `xds://${feed.address}`,
    HEDDLE_SERVICE: 'script',
    HEDDLE_NAMESPACE: 'shop',
    INSTANCE_IP: '127.34.1.31',
  });

  beforeAll(async () => {
    folder = await meshFolder();
    const port = await freePort(ip);
    const pods = [{ name: 'web-0', service: 'web', ip }];
    await folder.write('web.yaml', [...serviceWithPods('shop', 'web', port, pods), strictMutualTls('shop')]);
    feed = await startFeed(folder.path);
    web = await startService({
      name: 'web-0',
      service: 'web',
      namespace: 'shop',
      ip,
      port,
      feed: `xds://${feed.address}`,
    });
  });
  afterAll(async () => {
    await web.stop();
    await feed.stop();
    await folder.remove();
  });

  it('calls once, closes, and ends by itself within a second: nothing is left open', async () => {
    const found = await finding(
      `
      import { createMesh } from '@heddle/core';
      const mesh = await createMesh();
      const response = await mesh.fetch('http://web/');
      const { status } = response;
      await response.text();
      await mesh.close();
      const closedMs = Date.now();
      // Standard output, where it is a pipe, and the IPC of a parent are the process's own.
      const left = () => process.getActiveResourcesInfo().filter((name) => !/^(Pipe|File|TTY)/.test(name));
      process.on('beforeExit', () => console.log(JSON.stringify({ status, left: left(), exitMs: Date.now() - closedMs })));
    `,
      environment(),
    );
    const { exitMs, ...rest } = found as { exitMs: number };
    expect(rest).toEqual({ status: 200, left: [] });
    expect(exitMs).toBeLessThan(1_000);
  });

  it('has as many sockets, timers and listeners after 2,000 calls as after 50', async () => {
    const found = await finding(
      `
      import { createMesh } from '@heddle/core';
      const mesh = await createMesh();
      const call = async () => (await (await mesh.fetch('http://web/')).text()).length;
      const calls = async (times) => {
        for (let done = 0; done < times; done += 10) await Promise.all(Array.from({ length: 10 }, call));
        await new Promise((resolve) => setImmediate(resolve));
        const counts = {};
        for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
        counts.listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
        return counts;
      };
      const early = await calls(50);
      const late = await calls(2000);
      await mesh.close();
      console.log(JSON.stringify({ early, late }));
    `,
      environment(),
    );
    const { early, late } = found as Record<'early' | 'late', Readonly<Record<string, number>>>;
    for (const [name, count] of Object.entries(late))
      expect([name, count]).toEqual([name, Math.min(count, early[name] ?? 0)]);
  });
});
