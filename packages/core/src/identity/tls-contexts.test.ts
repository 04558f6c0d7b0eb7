import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions, Server, TLSSocket, TlsOptions } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../clock.js';
import type { DownstreamTls } from '../snapshot/inbound-snapshot.js';
import type { UpstreamTls } from '../snapshot/cluster-snapshot.js';
import { testAuthority } from '../testing/test-certificates.js';
import type { TestAuthority } from '../testing/test-certificates.js';
import type { IdentityProvider, IdentitySink } from './identity-provider.js';
import { IdentityStore } from './identity-store.js';
import type { SanMatcher } from './san-matcher.js';
import { readSvid } from './svid.js';
import { createTlsContexts } from './tls-contexts.js';
import { trustBundles } from './trust-bundles.js';

const reviewsId = 'spiffe://cluster.local/ns/default/sa/reviews';
const ratingsId = 'spiffe://cluster.local/ns/default/sa/ratings';
const uri = (name: string): SanMatcher => ({ type: 'uri', matches: (san) => san === name, text: `exact ${name}` });

const upstream = (overrides: Partial<UpstreamTls> = {}): UpstreamTls => ({
  presentsCertificate: true,
  certificateSource: { kind: 'identity' },
  rootSource: { kind: 'identity' },
  serverName: 'Outbound_.9080_._.Ratings.default.svc.cluster.local',
  alpnProtocols: ['istio'],
  sans: [uri(ratingsId)],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'ratings',
  ...overrides,
});
const downstream: DownstreamTls = {
  requireClientCertificate: true,
  certificateSource: { kind: 'identity' },
  alpnProtocols: ['istio'],
  sans: [],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'inbound',
};

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

/** A workload with an identity that the test rotates. `roots` beyond the authority's own are further trust domains. */
function workload(authority: TestAuthority, spiffeId: string | undefined, federated: readonly TestAuthority[] = []) {
  let sink: IdentitySink | undefined;
  const bundles = trustBundles([authority, ...federated].map((one) => [one.trustDomain, one.rootPem] as const));
  const rotate = (lifeMs = 3_600_000) => {
    if (spiffeId === undefined) return sink?.onState({ svid: undefined, bundles });
    const pair = authority.issue({ spiffeId, notAfterWallMs: Date.now() + lifeMs });
    const read = readSvid(pair.certificateChainPem, pair.privateKeyPem);
    if (read.ok) sink?.onState({ svid: read.svid, bundles });
  };
  const provider: IdentityProvider = {
    name: 'test',
    open: (opened) => ((sink = opened), rotate(), { close: () => undefined }),
  };
  const store = new IdentityStore({ provider, clock: systemClock });
  ends.push(() => store.close());
  return { contexts: createTlsContexts(store, systemClock), rotate, store };
}

function deferred<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve: (value: Value) => resolve(value) };
}

async function listen(options: TlsOptions, onSocket: (socket: TLSSocket) => void): Promise<Server & { port: number }> {
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  ends.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

async function dial(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ ...options, host: '127.0.0.1', port });
  ends.push(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

test('two workloads prove their identities to each other, and SNI goes out in lower case', async () => {
  const authority = testAuthority('cluster.local');
  const client = workload(authority, reviewsId).contexts;
  const server = workload(authority.intermediate(), ratingsId).contexts;
  const accepted = deferred<TLSSocket>();
  const { port } = await listen(
    { ...server.serverOptions(downstream), requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['istio'] },
    accepted.resolve,
  );
  const socket = await dial(port, client.connectOptions(upstream()));
  expect(client.verifyServer(socket, upstream())).toMatchObject({ ok: true, peer: { spiffeId: ratingsId } });
  expect(server.verifyClient(await accepted.promise, downstream)).toMatchObject({
    ok: true,
    peer: { spiffeId: reviewsId },
  });
  expect((await accepted.promise).servername).toBe('outbound_.9080_._.ratings.default.svc.cluster.local');
  expect(socket.alpnProtocol).toBe('istio');
});

test('a server of another identity, or one that a foreign domain’s root vouches for, is rejected', async () => {
  const authority = testAuthority('cluster.local');
  const partner = testAuthority('partner.test');
  const client = workload(authority, reviewsId, [partner]).contexts;
  for (const [issuer, spiffeId] of [
    [authority, reviewsId],
    [partner, ratingsId],
  ] as const) {
    const pair = issuer.issue({ spiffeId });
    const { port } = await listen({ cert: pair.certificateChainPem, key: pair.privateKeyPem }, () => undefined);
    const socket = await dial(port, client.connectOptions(upstream()));
    expect(socket.authorized).toBe(true);
    expect(client.verifyServer(socket, upstream()).ok).toBe(false);
  }
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a %s session of one identity resumed toward another does not pass for it',
  async (version) => {
    const authority = testAuthority('cluster.local');
    const client = workload(authority, reviewsId).contexts;
    const pair = authority.issue({ spiffeId: ratingsId });
    const { port } = await listen(
      { cert: pair.certificateChainPem, key: pair.privateKeyPem, minVersion: version, maxVersion: version },
      (socket) => socket.end('hello'),
    );
    const first = connect({ ...client.connectOptions(upstream()), host: '127.0.0.1', port });
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const wanted = upstream({ sans: [uri(reviewsId)], key: 'reviews' });
    const resumed = await dial(port, { ...client.connectOptions(wanted), session });
    expect(resumed.isSessionReused()).toBe(true);
    expect(client.verifyServer(resumed, wanted).ok).toBe(false);
    // Node shows no certificate on a resumed client session: nothing is proven, not even the identity that it was made with.
    expect(client.verifyServer(resumed, upstream()).ok).toBe(false);
  },
);

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'our server resumes no %s session, and a client without certificate is anonymous every time',
  async (version) => {
    const authority = testAuthority('cluster.local');
    const server = workload(authority, ratingsId).contexts;
    const verdicts: unknown[] = [];
    const { port } = await listen(
      {
        ...server.serverOptions({ ...downstream, minVersion: version, maxVersion: version }),
        requestCert: true,
        rejectUnauthorized: false,
      },
      (socket) => {
        verdicts.push(server.verifyClient(socket, downstream));
        socket.end('hello');
      },
    );
    const plain = { ca: authority.rootPem, checkServerIdentity: () => undefined };
    const first = connect({ ...plain, host: '127.0.0.1', port });
    const [session] = (await Promise.race([
      once(first, 'session'),
      once(first, 'end').then(() => [first.getSession()]),
    ])) as [Buffer];
    first.destroy();
    const second = connect({ ...plain, host: '127.0.0.1', port, session });
    await once(second, 'secureConnect');
    expect(second.isSessionReused()).toBe(false);
    await once(second.resume(), 'end');
    expect(verdicts).toEqual(
      Array(2).fill({ ok: false, reason: 'the peer presented no certificate', anonymous: true }),
    );
  },
);

test('a client of an unknown authority is rejected even where certificates are optional', async () => {
  const server = workload(testAuthority('cluster.local'), ratingsId).contexts;
  const stranger = testAuthority('cluster.local').issue({ spiffeId: reviewsId });
  const verdict = deferred<unknown>();
  const { port } = await listen(
    { ...server.serverOptions(downstream), requestCert: true, rejectUnauthorized: false },
    (socket) => verdict.resolve(server.verifyClient(socket, downstream)),
  );
  await dial(port, { cert: stranger.certificateChainPem, key: stranger.privateKeyPem, rejectUnauthorized: false });
  expect(await verdict.promise).toMatchObject({
    ok: false,
    reason: expect.stringContaining('did not verify') as unknown,
  });
});

test('contexts are built once a generation, and anew after a rotation', () => {
  const { contexts, rotate } = workload(testAuthority('cluster.local'), reviewsId);
  const before = contexts.connectOptions(upstream());
  expect(contexts.connectOptions(upstream()).secureContext).toBe(before.secureContext);
  const generation = contexts.generation;
  let changes = 0;
  contexts.onChange(() => changes++);
  rotate();
  expect(changes).toBe(1);
  expect(contexts.generation).toBe(generation + 1);
  expect(contexts.connectOptions(upstream()).secureContext).not.toBe(before.secureContext);
});

test('a policy that needs our certificate says so while there is none', () => {
  const { contexts } = workload(testAuthority('cluster.local'), undefined);
  expect(() => contexts.connectOptions(upstream())).toThrow(expect.objectContaining({ code: 'IDENTITY_UNAVAILABLE' }));
  expect(() => contexts.serverOptions(downstream)).toThrow(expect.objectContaining({ code: 'IDENTITY_UNAVAILABLE' }));
  const files = { kind: 'files', certificate: '/nowhere/tls.crt', key: '/nowhere/tls.key' } as const;
  expect(() => contexts.serverOptions({ ...downstream, certificateSource: files })).toThrow(
    /cannot read \/nowhere\/tls\.crt/,
  );
});

test('certificates of two seconds rotate under load on both sides without one failed handshake', async () => {
  const authority = testAuthority('cluster.local');
  const client = workload(authority, reviewsId);
  const server = workload(authority, ratingsId);
  const rejected: unknown[] = [];
  const listener = await listen(
    { ...server.contexts.serverOptions(downstream), requestCert: true, rejectUnauthorized: true },
    (socket) => {
      const verdict = server.contexts.verifyClient(socket, downstream);
      if (!verdict.ok) rejected.push(verdict);
      socket.end('ok');
    },
  );
  server.contexts.onChange(() => listener.setSecureContext(server.contexts.serverOptions(downstream)));
  const seen = new Set<string>();
  for (let call = 0; call < 120; call++) {
    if (call % 10 === 5) client.rotate(2000);
    if (call % 10 === 9) server.rotate(2000);
    const socket = await dial(listener.port, client.contexts.connectOptions(upstream()));
    const verdict = client.contexts.verifyServer(socket, upstream());
    if (verdict.ok) seen.add(verdict.peer.certificateSha256);
    else rejected.push(verdict);
    socket.destroy();
  }
  expect(rejected).toEqual([]);
  expect(seen.size).toBeGreaterThan(10);
});
