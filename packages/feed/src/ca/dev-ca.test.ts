import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../core/src/clock.js';
import { seededDraws } from '../../../core/src/draws.js';
import { createCaProvider } from '../../../core/src/identity/providers/ca-provider.js';
import { IdentityStore } from '../../../core/src/identity/identity-store.js';
import type { IdentityEvent } from '../../../core/src/identity/identity-store.js';
import { createSigningRequest } from '../../../core/src/identity/x509/csr.js';
import { testAuthority } from '../../../core/src/testing/test-certificates.js';
import { createDevCa } from './dev-ca.js';
import type { DevCaOptions } from './dev-ca.js';

const reviews = { namespace: 'default', serviceAccount: 'reviews' };
const id = 'spiffe://cluster.local/ns/default/sa/reviews';
let dir = '';
const ends: (() => void)[] = [];
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'heddle-ca-'))));
afterEach(async () => {
  ends.splice(0).forEach((end) => end());
  await rm(dir, { recursive: true });
});

test('a signed certificate carries the SPIFFE id alone and is vouched for by the root', async () => {
  const ca = await createDevCa({ lifetimeMs: 3_600_000 });
  const [leafPem, rootPem] = await ca.sign(createSigningRequest(id).csrPem, reviews);
  const leaf = new X509Certificate(leafPem!);
  expect(rootPem).toBe(ca.rootPem);
  expect(leaf.subjectAltName).toBe(`URI:${id}`);
  expect(leaf.ca).toBe(false);
  expect(leaf.verify(new X509Certificate(ca.rootPem).publicKey)).toBe(true);
  expect(Date.parse(leaf.validTo) - Date.now()).toBeLessThanOrEqual(3_600_000);
});

test('a lifetime that is asked for is given up to the CA’s own', async () => {
  const ca = await createDevCa({ lifetimeMs: 3_600_000 });
  const lifeOf = async (askedMs: number) => {
    const [leaf] = await ca.sign(createSigningRequest(id).csrPem, reviews, askedMs);
    return (Date.parse(new X509Certificate(leaf!).validTo) - Date.now()) / 1000;
  };
  expect(await lifeOf(600_000)).toBeCloseTo(600, -1);
  expect(await lifeOf(86_400_000)).toBeCloseTo(3600, -1);
});

test('another identity than the token’s is denied, and the message says both', async () => {
  const ca = await createDevCa();
  const request = createSigningRequest('spiffe://cluster.local/ns/default/sa/admin').csrPem;
  await expect(ca.sign(request, reviews)).rejects.toMatchObject({
    status: 'PERMISSION_DENIED',
    message: expect.stringMatching(/sa\/admin, .* sa\/reviews|sa\/admin.*sa\/reviews/) as unknown,
  });
});

test('a request that its own key did not sign is refused', async () => {
  const ca = await createDevCa();
  const der = Buffer.from(createSigningRequest(id).csrPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 3] = (der[der.length - 3] ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await expect(ca.sign(forged, reviews)).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' });
  await expect(ca.sign('no request', reviews)).rejects.toMatchObject({ status: 'INVALID_ARGUMENT' });
});

test('the root survives a restart in a file of its owner only, also when two start at once', async () => {
  const [first, second] = await Promise.all([createDevCa({ dir }), createDevCa({ dir })]);
  const third = await createDevCa({ dir });
  expect(second.rootPem).toBe(first.rootPem);
  expect(third.rootPem).toBe(first.rootPem);
  expect(await readdir(dir)).toEqual(['dev-ca.pem']);
  expect((await stat(join(dir, 'dev-ca.pem'))).mode & 0o777).toBe(0o600);
  await expect(createDevCa({ dir, trustDomain: 'other.test' })).rejects.toThrow('another trust domain');
  await chmod(join(dir, 'dev-ca.pem'), 0o644);
  await expect(createDevCa({ dir })).rejects.toThrow('can be read by others');
});

async function serve(options: DevCaOptions = {}, port = 0, security = ServerCredentials.createInsecure()) {
  const ca = await createDevCa({ dir, ...options });
  const server = new Server();
  server.addService(ca.service.definition, ca.service.implementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, security, (error, at) => (error ? reject(error) : resolve(at)));
  });
  ends.push(() => server.forceShutdown());
  return { ca, server, port: bound };
}

function workload(port: number, overrides: Partial<Parameters<typeof createCaProvider>[0]> = {}) {
  const events: IdentityEvent[] = [];
  const provider = createCaProvider({
    kind: 'heddle-ca',
    address: `127.0.0.1:${port}`,
    trustDomain: 'cluster.local',
    clusterId: 'Kubernetes',
    ...reviews,
    clock: systemClock,
    draws: seededDraws(7),
    ...overrides,
  });
  const store = new IdentityStore({ provider, clock: systemClock, onEvent: (event) => events.push(event) });
  ends.push(() => store.close());
  return { store, events };
}

const rotation = (store: IdentityStore) => new Promise<void>((resolve) => store.onChange(resolve));

test('a workload gets its certificate from the CA, with the root in its bundle', async () => {
  const { ca, port } = await serve();
  const { store } = workload(port);
  await store.ready(10_000);
  expect(store.state().svid?.spiffeId).toBe(id);
  expect(
    store
      .state()
      .bundles.byDomain.get('cluster.local')
      ?.map((pem) => new X509Certificate(pem).fingerprint256),
  ).toEqual([new X509Certificate(ca.rootPem).fingerprint256]);
});

test('certificates renew before half of their life, and go on through an outage of the CA', async () => {
  const { server, port } = await serve({ lifetimeMs: 8000 });
  // The earliest renewal, and a life that is long beside the seconds that certificates count in: the alarm at half of it is far off on a busy machine too.
  const { store, events } = workload(port, { draws: () => 0 });
  await store.ready(10_000);
  const first = store.state().svid?.fingerprint;
  await rotation(store);
  expect(store.state().svid?.fingerprint).not.toBe(first);
  expect(events.some(({ kind }) => kind === 'expiring')).toBe(false);
  const second = store.state().svid?.fingerprint;
  server.forceShutdown();
  await expect.poll(() => events.some(({ kind }) => kind === 'failed'), { timeout: 10_000 }).toBe(true);
  expect(store.state().svid?.fingerprint).toBe(second);
  await serve({ lifetimeMs: 8000 }, port);
  await expect
    .poll(() => store.state().svid?.fingerprint !== second && store.state().svid !== undefined, { timeout: 15_000 })
    .toBe(true);
});

test('a CA that comes back with another root does not split the mesh: the old root stays while its certificates live', async () => {
  const before = await serve({ lifetimeMs: 4000, dir: undefined });
  const { store } = workload(before.port);
  await store.ready(10_000);
  before.server.forceShutdown();
  const after = await serve({ lifetimeMs: 4000, dir: undefined }, before.port);
  await expect.poll(() => store.state().bundles.byDomain.get('cluster.local')?.length, { timeout: 15_000 }).toBe(2);
  const kept = store
    .state()
    .bundles.byDomain.get('cluster.local')
    ?.map((pem) => new X509Certificate(pem).fingerprint256);
  expect(kept).toEqual([before, after].map(({ ca }) => new X509Certificate(ca.rootPem).fingerprint256));
});

test('a CA with a shared secret serves only callers that know it', async () => {
  const secretFile = join(dir, 'secret');
  await writeFile(secretFile, 'opensesame\n');
  const { port } = await serve({ tokenFile: secretFile });
  const tokenFile = join(dir, 'token');
  await writeFile(tokenFile, 'default/reviews:guess');
  const refused = workload(port, { tokenFile });
  await expect
    .poll(() => refused.events[0])
    .toMatchObject({ kind: 'failed', reason: expect.stringContaining('UNAUTHENTICATED') as unknown });
  await writeFile(tokenFile, 'default/reviews:opensesame\n');
  await refused.store.ready(10_000);
});

test('a token for another service account than the request is denied over the wire', async () => {
  const { port } = await serve();
  const tokenFile = join(dir, 'token');
  await writeFile(tokenFile, 'default/ratings');
  const { events } = workload(port, { tokenFile });
  await expect
    .poll(() => events[0])
    .toMatchObject({ kind: 'failed', reason: expect.stringContaining('PERMISSION_DENIED') as unknown });
});

test('a CA like istiod’s is asked over TLS, under the name that its certificate must carry, and its root file is the bundle', async () => {
  const istiod = testAuthority('cluster.local');
  const pair = istiod.issue({ dnsNames: ['istiod.istio-system.svc'], extendedKeyUsages: ['serverAuth'] });
  const keyPair = { private_key: Buffer.from(pair.privateKeyPem), cert_chain: Buffer.from(pair.certificateChainPem) };
  const { ca, port } = await serve({}, 0, ServerCredentials.createSsl(null, [keyPair]));
  const [tokenFile, rootCertFile] = [join(dir, 'istio-token'), join(dir, 'root-cert.pem')];
  await writeFile(tokenFile, 'default/reviews');
  await writeFile(rootCertFile, istiod.rootPem + ca.rootPem);
  const options = { kind: 'istio-ca', tokenFile, rootCertFile } as const;
  const trusted = workload(port, { ...options, serverName: 'istiod.istio-system.svc' });
  await trusted.store.ready(10_000);
  expect(trusted.store.state().bundles.byDomain.get('cluster.local')).toHaveLength(2);
  const misnamed = workload(port, { ...options, serverName: 'istiod.evil.svc' });
  await expect.poll(() => misnamed.events[0]?.kind, { timeout: 15_000 }).toBe('failed');
  expect(misnamed.store.state().svid).toBeUndefined();
});

test('a token is never sent in plain text to another host', () => {
  expect(() => workload(1, { address: 'ca.example.com:15010' })).toThrow(/need TLS/);
});
