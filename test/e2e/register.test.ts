// `node --import @heddle/core/register app.js`: Express applications that don't know Heddle, in real processes, obey the mesh.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Child } from '../support/processes/child.js';
import { startFeed, type FeedProcess } from '../support/processes/feed-process.js';
import { freePort } from '../support/processes/free-port.js';
import { meshFolder, serviceWithPods, strictMutualTls, type MeshFolder } from '../support/processes/mesh-folder.js';

const application = fileURLToPath(new URL('../support/processes/plain-express.mjs', import.meta.url));
const register = '--import @heddle/core/register';
const network = '127.0.46';
let folder: MeshFolder;
let feed: FeedProcess;
let port: number;
const children: Child[] = [];

const routing = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'hello', namespace: 'shop' },
  spec: {
    hosts: ['hello'],
    http: [
      {
        match: [{ headers: { 'end-user': { exact: 'jason' } } }],
        route: [{ destination: { host: 'hello', subset: 'v2' } }],
      },
      { route: [{ destination: { host: 'hello', subset: 'v1' } }] },
    ],
  },
};
const subsets = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'hello', namespace: 'shop' },
  spec: {
    host: 'hello',
    subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })),
  },
};
const onlyFront = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'hello', namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: 'hello' } },
    rules: [{ from: [{ source: { principals: ['cluster.local/ns/shop/sa/front'] } }] }],
  },
};
const frontIsPlain = {
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name: 'front', namespace: 'shop' },
  spec: { selector: { matchLabels: { app: 'front' } }, mtls: { mode: 'PERMISSIVE' } },
};

function environment(service: string, ip: string, version = 'v1'): Record<string, string> {
  return {
    NODE_OPTIONS: register,
    HEDDLE_FEED: `xds://${feed.address}`,
    HEDDLE_SERVICE: service,
    HEDDLE_NAMESPACE: 'shop',
    HEDDLE_LABELS: `app=${service},version=${version}`,
    INSTANCE_IP: ip,
    NAME: `${service}-${version}`,
    UPSTREAM: 'http://hello/hello',
    HOST: ip,
    PORT: String(port),
  };
}

async function start(service: string, ip: string, version?: string): Promise<Child> {
  const child = new Child(application, [], environment(service, ip, version));
  children.push(child);
  await child.says(/application listens/);
  return child;
}

const front = (path: string, headers = {}) => fetch(`http://${network}.9:${String(port)}${path}`, { headers });

beforeAll(async () => {
  port = await freePort(`${network}.1`);
  folder = await meshFolder();
  const hello = ['v1', 'v2'].map((version, index) => ({
    name: `hello-${version}`,
    service: 'hello',
    version,
    ip: `${network}.${String(index + 1)}`,
  }));
  const web = [
    { name: 'front-v1', service: 'front', version: 'v1', ip: `${network}.9` },
    { name: 'other-v1', service: 'other', version: 'v1', ip: `${network}.10` },
  ];
  await folder.write('mesh.yaml', [
    ...serviceWithPods('shop', 'hello', port, hello),
    ...web.flatMap((pod) => serviceWithPods('shop', pod.service, port, [pod])),
    ...[routing, subsets, onlyFront, frontIsPlain, strictMutualTls('shop')],
  ]);
  feed = await startFeed(folder.path);
  await Promise.all([
    start('hello', `${network}.1`),
    start('hello', `${network}.2`, 'v2'),
    start('front', `${network}.9`),
  ]);
});

afterAll(async () => {
  await Promise.all(children.map((child) => child.stop()));
  await feed.stop();
  await folder.remove();
});

it('routes the built-in fetch and undici by the VirtualService, under mutual TLS', async () => {
  const bodyOf = async (response: Response) => ((await response.json()) as { upstream: string }).upstream;
  const usual = await front('/front', { 'x-request-id': 'trace-me' });
  expect(usual.status).toBe(200);
  expect(JSON.parse(await bodyOf(usual))).toEqual({ from: 'hello-v1', requestId: 'trace-me' });
  const jason = await bodyOf(await front('/front', { 'end-user': 'jason' }));
  expect(JSON.parse(jason)).toMatchObject({ from: 'hello-v2' });
  expect(JSON.parse(await bodyOf(await front('/undici')))).toMatchObject({ from: 'hello-v1' });
});

it('resets plain callers of an application under STRICT', async () => {
  const direct = fetch(`http://${network}.1:${String(port)}/hello`);
  await expect(direct).rejects.toThrow('fetch failed');
});

it('denies an identity that the AuthorizationPolicy does not name', async () => {
  const script = `const r = await fetch('http://hello/hello'); console.log(r.status, await r.text())`;
  const options = { env: { PATH: process.env['PATH'], ...environment('other', `${network}.10`) }, timeout: 20_000 };
  // The script serves nothing: it also ends by itself.
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options);
  expect(stdout.trim()).toBe('403 RBAC: access denied');
});

it('does not start the application without the mesh', async () => {
  const env = { PATH: process.env['PATH'], ...environment('front', `${network}.9`), HEDDLE_FEED: 'xds://nonsense' };
  const child = promisify(execFile)(process.execPath, [application], { env, timeout: 20_000 });
  await expect(child).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('xds://host:port') as string });
});

it('finishes the request in flight at SIGTERM, then ends', async () => {
  const child = await start('other', `${network}.10`);
  await folder.write('other.yaml', [
    {
      ...frontIsPlain,
      metadata: { name: 'other', namespace: 'shop' },
      spec: { selector: { matchLabels: { app: 'other' } }, mtls: { mode: 'PERMISSIVE' } },
    },
  ]);
  const url = `http://${network}.10:${String(port)}`;
  await eventually(
    'other takes plain text',
    async () => (await fetch(`${url}/hello`).catch(() => undefined))?.ok === true,
  );
  const slow = httpRequest(`${url}/slow`).end();
  const answered = once(slow, 'response') as Promise<[IncomingMessage]>;
  await child.says(/slow began/);
  child.process.kill('SIGTERM');
  await eventually(
    'the port is closed',
    async () => (await fetch(`${url}/hello`).catch(() => undefined)) === undefined,
  );
  child.process.kill('SIGUSR2');
  const [response] = await answered;
  expect(response.headers.connection).toBe('close');
  response.resume();
  expect(await child.exited).toEqual({ code: 0, signal: null });
});
