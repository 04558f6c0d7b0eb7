// The plugin in a real Fastify, served by the mesh and by Fastify itself.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { MeshError } from '@heddle/core';
import { type AdapterMesh, adapterMesh, denyPrefix } from '../../core/src/testing/adapter-mesh.js';
import { heddle } from './index.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function meshOf(...args: Parameters<typeof adapterMesh>): AdapterMesh {
  const mesh = adapterMesh(...args);
  ends.push(() => mesh.close());
  return mesh;
}

async function appOf(mesh: AdapterMesh, options: { errors?: boolean } = {}): Promise<FastifyInstance> {
  const app = Fastify();
  ends.push(() => app.close());
  await app.register(heddle, { mesh, ...options });
  app.get('/where', (request) => ({ url: request.url, id: request.mesh.requestId }));
  app.get('/timeout', () => {
    throw new MeshError('UPSTREAM_TIMEOUT', 'cluster outbound|9080||secret.internal took too long');
  });
  app.get('/defect', () => {
    throw new Error('a defect');
  });
  app.post('/echo', (request) => request.body);
  return app;
}

async function raw(port: number, target: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  socket.end(`GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  await once(socket, 'close');
  return answer;
}

const portOf = (url: string): number => Number(new URL(url).port);

describe('served by the mesh', () => {
  test('the instance becomes ready by itself, handlers find request.mesh, bodies are parsed', async () => {
    const mesh = meshOf();
    const { port } = await mesh.serve(await appOf(mesh));
    const answer = await fetch(`http://127.0.0.1:${port}/where`, { headers: { 'x-request-id': 'abc' } });
    expect(await answer.json()).toEqual({ url: '/where', id: 'abc' });
    const headers = { 'content-type': 'application/json' };
    const echo = await fetch(`http://127.0.0.1:${port}/echo`, { method: 'POST', headers, body: '{"a":1}' });
    expect(await echo.json()).toEqual({ a: 1 });
    expect(await mesh.finished(2)).toMatchObject({ status: 200, path: '/echo' });
  });

  test('a path is normalised before Fastify chooses the route', async () => {
    const mesh = meshOf([denyPrefix('/defect')]);
    const { port } = await mesh.serve(await appOf(mesh));
    expect(await raw(port, '/x/..//where')).toContain('"url":"/where"');
    expect(await raw(port, '/x/..//defect')).toContain('403 Forbidden');
  });
});

describe('served by Fastify', () => {
  test('the policies hold all the same', async () => {
    const mesh = meshOf([denyPrefix('/where')]);
    const app = await appOf(mesh);
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const denied = await fetch(`${url}/where`);
    expect([denied.status, await denied.text()]).toEqual([403, 'RBAC: access denied']);
    expect(await mesh.finished(1)).toMatchObject({ status: 403, details: 'rbac_access_denied_matched_policy[test]' });
  });

  test('a request that passes finds request.mesh', async () => {
    const mesh = meshOf();
    const url = await (await appOf(mesh)).listen({ port: 0, host: '127.0.0.1' });
    const answer = await fetch(`${url}/where`, { headers: { 'x-request-id': 'abc' } });
    expect(await answer.json()).toEqual({ url: '/where', id: 'abc' });
  });

  test('a path that policy and router could read differently is refused', async () => {
    const mesh = meshOf();
    const url = await (await appOf(mesh)).listen({ port: 0, host: '127.0.0.1' });
    expect(await raw(portOf(url), '/x/../where')).toContain('400 Bad Request');
  });

  test('under STRICT plain requests are refused', async () => {
    const mesh = meshOf([], 'strict');
    const url = await (await appOf(mesh)).listen({ port: 0, host: '127.0.0.1' });
    await expect(fetch(`${url}/where`)).rejects.toThrow();
  });
});

describe('errors', () => {
  test('a MeshError becomes its status, without its message; other errors stay Fastify’s', async () => {
    const mesh = meshOf();
    const { port } = await mesh.serve(await appOf(mesh));
    const timeout = await fetch(`http://127.0.0.1:${port}/timeout`);
    expect([timeout.status, await timeout.text()]).toEqual([504, 'upstream request timeout']);
    const defect = await fetch(`http://127.0.0.1:${port}/defect`);
    expect([defect.status, await defect.json()]).toMatchObject([500, { message: 'a defect' }]);
  });

  test('errors: false leaves them to the application', async () => {
    const mesh = meshOf();
    const { port } = await mesh.serve(await appOf(mesh, { errors: false }));
    expect((await fetch(`http://127.0.0.1:${port}/timeout`)).status).toBe(500);
  });
});

test('an injected request has no connection to judge and is refused', async () => {
  const app = await appOf(meshOf());
  expect((await app.inject('/where')).statusCode).toBe(403);
});

test('the README’s example serves', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const code = /```js\n([^]*?)```/.exec(readme)?.[1]?.replace(/^import .*$/gm, '') ?? '';
  const mesh = meshOf();
  const AsyncFunction = asyncFunction.constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction('Fastify', 'createMesh', 'heddle', code)(Fastify, () => Promise.resolve(mesh), heddle);
  const answer = await fetch(`http://127.0.0.1:${mesh.listeners[0]?.port ?? 0}/hello`, {
    headers: { 'x-request-id': 'abc' },
  });
  expect(await answer.json()).toEqual({ caller: 'unknown', requestId: 'abc' });
});

/** Only its constructor is of interest. */
async function asyncFunction(): Promise<void> {
  await Promise.resolve();
}
