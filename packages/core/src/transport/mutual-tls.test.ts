// Mutual TLS as the outbound side does it, against real TLS servers: who is let in, who is refused, and what a rotation changes.
import { once } from 'node:events';
import { performServerHandshake } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.js';
import { ClusterStates } from '../cluster-state/cluster-states.js';
import { seededDraws } from '../draws.js';
import type { IdentityProvider, IdentitySink } from '../identity/identity-provider.js';
import { IdentityStore } from '../identity/identity-store.js';
import { readSvid } from '../identity/svid.js';
import { createTlsContexts } from '../identity/tls-contexts.js';
import { trustBundles } from '../identity/trust-bundles.js';
import { OutboundClient } from '../outbound/outbound-client.js';
import { RecordingTelemetry, cluster, route, snapshot } from '../outbound/testing/snapshot-fixture.js';
import type { ClusterSnapshot, UpstreamTls } from '../snapshot/cluster-snapshot.js';
import { testAuthority } from '../testing/test-certificates.js';

const CLIENT = 'spiffe://cluster.local/ns/default/sa/productpage';
const SERVER = 'spiffe://cluster.local/ns/default/sa/reviews';
const authority = testAuthority('cluster.local');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const policy: UpstreamTls = {
  presentsCertificate: true,
  certificateSource: { kind: 'identity' },
  rootSource: { kind: 'identity' },
  serverName: 'outbound_.9080_._.reviews.default.svc.cluster.local',
  alpnProtocols: ['istio-peer-exchange', 'istio'],
  sans: [{ type: 'uri', matches: (san) => san === SERVER, text: `exact ${SERVER}` }],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'reviews',
};

interface Seen {
  servername: unknown;
  alpn: unknown;
  peer: string;
  connections: number;
}

async function serveTls(spiffeId: string, http2 = false, from = authority): Promise<{ address: string; seen: Seen }> {
  const { certificateChainPem: cert, privateKeyPem: key } = from.issue({ spiffeId });
  const seen: Seen = { servername: '', alpn: '', peer: '', connections: 0 };
  const options = {
    cert,
    key,
    ca: authority.rootPem,
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: http2 ? ['istio-h2'] : ['istio-http/1.1', 'istio'],
  };
  const server = http2
    ? createTlsServer(options, (socket) => {
        performServerHandshake(socket).on('stream', (stream) => {
          stream.respond({ ':status': 200 });
          stream.end('secret');
        });
      })
    : createServer(options, (_req, res) => res.end('secret'));
  server.on('secureConnection', (socket: TLSSocket & { servername?: unknown }) => {
    seen.connections += 1;
    seen.servername = socket.servername;
    seen.alpn = socket.alpnProtocol;
    seen.peer = socket.getPeerCertificate().subjectaltname ?? '';
    socket.on('error', () => undefined);
    cleanups.push(() => void socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.unshift(() => void server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function workload(spiffeId: string | undefined, address: string, changes: Partial<ClusterSnapshot> = {}) {
  let sink: IdentitySink | undefined;
  const bundles = trustBundles([['cluster.local', authority.rootPem]]);
  const provider: IdentityProvider = {
    name: 'test',
    open(given) {
      sink = given;
      return { close: () => undefined };
    },
  };
  const store = new IdentityStore({ provider, clock: systemClock });
  const rotate = () => {
    if (spiffeId === undefined) return sink?.onState({ svid: undefined, bundles });
    const pair = authority.issue({ spiffeId });
    const read = readSvid(pair.certificateChainPem, pair.privateKeyPem);
    if (read.ok) sink?.onState({ svid: read.svid, bundles });
  };
  rotate();
  const telemetry = new RecordingTelemetry();
  const draws = seededDraws(3);
  const current = snapshot([cluster('upstream', [address], { tlsFor: () => policy, ...changes })], () => route({}));
  const outbound = new OutboundClient({
    snapshot: () => current,
    states: new ClusterStates(systemClock, draws),
    clock: systemClock,
    draws,
    security: createTlsContexts(store, systemClock),
    telemetry,
  });
  cleanups.push(
    () => outbound.close({ drainMs: 100 }),
    () => store.close(),
  );
  return { outbound, telemetry, rotate };
}

describe('a call over mutual TLS', () => {
  it('shows its identity, checks the other one, and says whom it met', async () => {
    const { address, seen } = await serveTls(SERVER);
    const { outbound, telemetry } = workload(CLIENT, address);
    expect(await (await outbound.fetch('http://reviews:9080/')).text()).toBe('secret');
    expect(seen).toMatchObject({ servername: policy.serverName, alpn: 'istio-http/1.1', peer: `URI:${CLIENT}` });
    expect(telemetry.finished[0]).toMatchObject({ peerPrincipal: SERVER, mutualTls: true });
  });

  it('keeps one connection for requests to different hosts', async () => {
    const { address, seen } = await serveTls(SERVER);
    const { outbound } = workload(CLIENT, address);
    for (const host of ['a', 'b', 'a', 'b']) {
      await (await outbound.fetch(`http://${host}/`)).text();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen.connections).toBe(1);
  });

  it('speaks HTTP/2 where the cluster does, under Istio´s name for it', async () => {
    const { address, seen } = await serveTls(SERVER, true);
    const { outbound } = workload(CLIENT, address, { http2: true });
    const answers = await Promise.all([1, 2, 3].map(async () => (await outbound.fetch('http://reviews/')).text()));
    expect(answers).toEqual(['secret', 'secret', 'secret']);
    expect([seen.alpn, seen.connections]).toEqual(['istio-h2', 1]);
  });

  it('refuses a server of another identity, or of another root, before a byte of the request is sent', async () => {
    const wrongName = await serveTls('spiffe://cluster.local/ns/default/sa/intruder');
    const first = workload(CLIENT, wrongName.address);
    await expect(first.outbound.fetch('http://reviews/', { errors: 'throw' })).rejects.toMatchObject({
      code: 'IDENTITY_REJECTED',
    });
    const answer = await first.outbound.fetch('http://reviews/');
    expect([answer.status, first.telemetry.finished[1]?.flags]).toEqual([503, 'UF']);
    const wrongRoot = await serveTls(SERVER, false, testAuthority('cluster.local'));
    const second = workload(CLIENT, wrongRoot.address);
    expect((await second.outbound.fetch('http://reviews/')).status).toBe(503);
  });

  it('sends nothing in the clear while it has no certificate', async () => {
    const { address, seen } = await serveTls(SERVER);
    const { outbound } = workload(undefined, address);
    await expect(outbound.fetch('http://reviews/', { errors: 'throw' })).rejects.toMatchObject({
      code: 'IDENTITY_UNAVAILABLE',
    });
    expect(seen.connections).toBe(0);
  });

  it('opens new connections after a rotation and lets the old ones drain', async () => {
    const { address, seen } = await serveTls(SERVER);
    const { outbound, rotate } = workload(CLIENT, address);
    const ask = async () => {
      await (await outbound.fetch('http://reviews/')).text();
      // undici frees a connection one turn of the loop after its answer.
      await new Promise((resolve) => setImmediate(resolve));
    };
    await ask();
    await ask();
    expect(seen.connections).toBe(1);
    rotate();
    await ask();
    expect(seen.connections).toBe(2);
  });
});
