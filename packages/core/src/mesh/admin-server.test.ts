import { request } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MeshError } from '../errors.js';
import { startAdminServer, startHealthServer, type AdminServer, type AdminSources } from './admin-server.js';

const open: AdminServer[] = [];
let ready = true;

const sources: AdminSources = {
  status: () => ({ ready }),
  explain: (asked) => {
    if (asked.url === 'nonsense') throw new MeshError('INVALID_REQUEST', 'expected an absolute URL');
    return { asked };
  },
  ready: () => ready,
  metrics: (_request, response) => response.end('istio_build 1\n'),
};

afterEach(async () => {
  ready = true;
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function admin(address = '127.0.0.1:0'): Promise<string> {
  const server = await startAdminServer(address, sources);
  open.push(server);
  return `http://${server.address}`;
}

function get(url: string, headers: Record<string, string> = {}): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the admin endpoint', () => {
  it('serves status, metrics and readiness', async () => {
    const base = await admin();
    expect(JSON.parse((await get(`${base}/status`)).body)).toEqual({ ready: true });
    expect((await get(`${base}/metrics`)).body).toBe('istio_build 1\n');
    expect((await get(`${base}/stats/prometheus`)).status).toBe(200);
    expect((await get(`${base}/elsewhere`)).status).toBe(404);
  });

  it('explains with the method and headers that are asked for', async () => {
    const base = await admin();
    const { body } = await get(`${base}/explain?url=http%3A%2F%2Fa%2F&method=POST&header=end-user%3A%20jason`);
    expect(JSON.parse(body)).toEqual({ asked: { url: 'http://a/', method: 'POST', headers: { 'end-user': 'jason' } } });
    expect((await get(`${base}/explain`)).status).toBe(400);
    expect((await get(`${base}/explain?url=nonsense`)).status).toBe(400);
  });

  it("refuses web pages, which could read the mesh through a user's browser", async () => {
    const base = await admin();
    expect((await get(`${base}/status`, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await get(`${base}/status`, { host: 'evil.example:15000' })).status).toBe(403);
    expect((await get(`${base}/status`, { host: 'localhost:15000' })).status).toBe(200);
  });

  it('listens on a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-admin-'));
    const path = join(folder, 'admin.sock');
    open.push(await startAdminServer(`unix:${path}`, sources));
    const status = await new Promise((resolve) => {
      request({ socketPath: path, path: '/ready' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(200);
    rmSync(folder, { recursive: true });
  });

  it.each(['0.0.0.0:15000', '10.0.0.1:15000', 'example.com:80', 'unix:', '15000'])(
    'does not listen on %s',
    (address) => {
      expect(() => startAdminServer(address, sources)).toThrow(/expected unix:\/path or a loopback address/);
    },
  );

  it('names the cause when its port is taken', async () => {
    const base = await admin();
    await expect(startAdminServer(base.slice('http://'.length), sources)).rejects.toThrow('EADDRINUSE');
  });
});

describe('the health endpoint', () => {
  it('says 503 until the mesh is ready and while it drains, and tells nothing else', async () => {
    const server = await startHealthServer(0, '127.0.0.1', sources);
    open.push(server);
    const base = `http://${server.address}`;
    expect((await get(`${base}/healthz/ready`)).status).toBe(200);
    ready = false;
    expect((await get(`${base}/ready`)).status).toBe(503);
    expect((await get(`${base}/status`)).status).toBe(404);
  });
});
