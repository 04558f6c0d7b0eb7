import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Feed } from '@heddle/xds';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.js';
import { createMesh } from './create-mesh.js';
import type { Mesh } from './mesh.js';
import type { MeshOptions } from './mesh-options.js';

const QUIET = { log: 'silent', handleSignals: false, identity: 'none' } as const;
const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function open(options: MeshOptions): Promise<Mesh> {
  const mesh = await createMesh({ ...QUIET, ...options });
  cleanUp.push(() => mesh.close());
  return mesh;
}

function folderWith(yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-mesh-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'shop.yaml'), yaml);
  return folder;
}

async function origin(): Promise<string> {
  const server: Server = createServer((_request, response) => response.end('from outside'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A feed that connects and never says anything. */
const silentFeed: Feed = {
  name: 'silent feed',
  open(_node, sink) {
    sink.onState({ phase: 'connected' });
    return { subscribe: () => undefined, originOf: () => undefined, close: () => undefined };
  },
};

describe('createMesh', () => {
  it('passes calls straight through without a feed', async () => {
    const mesh = await open({});
    expect(await (await mesh.fetch(await origin())).text()).toBe('from outside');
    expect(mesh.status()).toMatchObject({ ready: true, feed: { name: 'none', phase: 'none' } });
  });

  it('rejects at once when the folder is wrong, naming file, line and field', async () => {
    const folder = folderWith(
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: a }\nspec:\n  hosts: [a]\n  htp: []\n',
    );
    await expect(open({ feed: folder })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/shop\.yaml:6.*htp/) as string,
    });
  });

  it('rejects at once when there is no such folder', async () => {
    await expect(open({ feed: '/no/such/folder' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('gives up on a silent feed after the start timeout and says what it waited for', async () => {
    const clock = new VirtualClock();
    const starting = open({ feed: silentFeed, startTimeoutMs: 3_000, clock });
    const outcome = expect(starting).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
      message: expect.stringMatching(/silent feed/) as string,
    });
    // createMesh opens feed and identity before it sets the timer.
    for (let turn = 0; turn < 20 && clock.pendingTimers === 0; turn += 1) await new Promise(setImmediate);
    await new Promise(setImmediate);
    clock.advance(3_000);
    await outcome;
  });

  it('returns at once with a start timeout of 0, and ready() waits instead', async () => {
    const mesh = await open({ feed: silentFeed, startTimeoutMs: 0 });
    expect(mesh.isReady).toBe(false);
    await expect(mesh.ready({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
  });

  it('refuses calls once it is closed, and closes once', async () => {
    const mesh = await open({});
    await Promise.all([mesh.close(), mesh.close()]);
    expect(mesh.status()).toMatchObject({ ready: false, draining: true });
    await expect(mesh.fetch('http://127.0.0.1:45999/')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('serves and calls itself through the mesh', async () => {
    const mesh = await open({});
    const served = await mesh.serve((request, response) => response.end(request.mesh?.requestId), 0, {
      host: '127.0.0.1',
    });
    const response = await mesh.fetch(`http://127.0.0.1:${served.port}/`, { headers: { 'x-request-id': 'abc' } });
    expect(await response.text()).toBe('abc');
  });
});
