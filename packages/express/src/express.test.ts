// The middleware in real apps of Express 5 and 4, served by the mesh and by Express itself.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express5 from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { MeshError } from '@heddle/core';
import { type AdapterMesh, adapterMesh, denyPrefix } from '../../core/src/testing/adapter-mesh.js';
import * as adapter from './index.js';

// An alias of the package, without types of its own.
const EXPRESS_4: string = 'express4';
const { default: express4 } = (await import(EXPRESS_4)) as { default: typeof express5 };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function meshOf(...args: Parameters<typeof adapterMesh>): AdapterMesh {
  const mesh = adapterMesh(...args);
  ends.push(() => mesh.close());
  return mesh;
}

async function listening(app: express5.Express): Promise<string> {
  const server: Server = app.listen(0, '127.0.0.1');
  ends.push(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function raw(url: string, target: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  socket.end(`GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  await once(socket, 'close');
  return answer;
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('%s', (_, express) => {
  function appOf(mesh: AdapterMesh): express5.Express {
    const app = express();
    app.use(adapter.heddle(mesh));
    app.get('/where', (request, response) => {
      response.json({ url: request.url, original: request.originalUrl, id: request.mesh?.requestId });
    });
    app.get('/timeout', () => {
      throw new MeshError('UPSTREAM_TIMEOUT', 'cluster outbound|9080||secret.internal took too long');
    });
    app.get('/defect', (_request, _response, next) => {
      next(new Error('a defect'));
    });
    app.use(adapter.heddleErrors());
    app.use(((error, _request, response, next) => {
      if (error instanceof Error) response.status(500).send('other handler');
      else next(error);
    }) satisfies express5.ErrorRequestHandler);
    return app;
  }

  test('served by the mesh: handlers find request.mesh, and the request is recorded once', async () => {
    const mesh = meshOf();
    const { port } = await mesh.serve(appOf(mesh));
    const answer = await fetch(`http://127.0.0.1:${port}/where`, { headers: { 'x-request-id': 'abc' } });
    expect(await answer.json()).toEqual({ url: '/where', original: '/where', id: 'abc' });
    expect(await mesh.finished(1)).toMatchObject({ status: 200, path: '/where' });
  });

  test('served by Express: the policies hold all the same', async () => {
    const mesh = meshOf([denyPrefix('/where')]);
    const url = await listening(appOf(mesh));
    const denied = await fetch(`${url}/where`);
    expect([denied.status, await denied.text()]).toEqual([403, 'RBAC: access denied']);
    expect(await raw(url, '/x/..//where')).toContain('403 Forbidden');
    expect(await mesh.finished(1)).toMatchObject({ status: 403, details: 'rbac_access_denied_matched_policy[test]' });
  });

  test('served by Express: routing and logs see the path that policy saw', async () => {
    const mesh = meshOf();
    const url = await listening(appOf(mesh));
    expect(await raw(url, '/x/../where?a=1')).toContain('"url":"/where?a=1","original":"/where?a=1"');
  });

  test('served by Express under STRICT: plain requests are refused', async () => {
    const mesh = meshOf([], 'strict');
    const url = await listening(appOf(mesh));
    await expect(fetch(`${url}/where`)).rejects.toThrow();
  });

  test('a MeshError becomes its status, without its message; other errors go on', async () => {
    const mesh = meshOf();
    const { port } = await mesh.serve(appOf(mesh));
    const timeout = await fetch(`http://127.0.0.1:${port}/timeout`);
    expect([timeout.status, await timeout.text()]).toEqual([504, 'upstream request timeout']);
    const defect = await fetch(`http://127.0.0.1:${port}/defect`);
    expect([defect.status, await defect.text()]).toEqual([500, 'other handler']);
  });

  test('mounted under a path it refuses to guess', async () => {
    const mesh = meshOf();
    const app = express();
    app.use('/api', adapter.heddle(mesh));
    app.get('/api/x', (_request, response) => {
      response.send('served');
    });
    app.use(adapter.heddleErrors());
    const url = await listening(app);
    expect((await fetch(`${url}/api/x`)).status).toBe(500);
  });
});

test('the README’s example serves', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const code = /```js\n([^]*?)```/.exec(readme)?.[1]?.replace(/^import .*$/gm, '') ?? '';
  const mesh = meshOf();
  const AsyncFunction = asyncFunction.constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>;
  const run = new AsyncFunction('express', 'createMesh', 'heddle', 'heddleErrors', code);
  await run(express5, () => Promise.resolve(mesh), adapter.heddle, adapter.heddleErrors);
  const answer = await fetch(`http://127.0.0.1:${mesh.listeners[0]?.port ?? 0}/hello`, {
    headers: { 'x-request-id': 'abc' },
  });
  expect(await answer.json()).toEqual({ caller: 'unknown', requestId: 'abc' });
});

/** Only its constructor is of interest. */
async function asyncFunction(): Promise<void> {
  await Promise.resolve();
}
