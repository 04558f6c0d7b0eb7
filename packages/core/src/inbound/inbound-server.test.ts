// Real sockets and certificates: which connections get in, who they are, and how they leave.
import { once } from 'node:events';
import { Agent, type IncomingMessage, type RequestListener, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Socket, connect } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.js';
import type { UpstreamTls } from '../snapshot/cluster-snapshot.js';
import type { InboundSnapshot } from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import {
  type TestWorkload,
  inboundSnapshot,
  mutualTls,
  recordingTelemetry,
  snapshotOf,
  testWorkload,
} from '../testing/inbound-fixtures.js';
import { testAuthority } from '../testing/test-certificates.js';
import type { InboundEvent } from './inbound-event.js';
import { InboundServer } from './inbound-server.js';
import type { InboundSettings } from './inbound-settings.js';

const authority = testAuthority('cluster.local');
const details = 'spiffe://cluster.local/ns/default/sa/details';
const productpage = 'spiffe://cluster.local/ns/default/sa/productpage';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function workload(spiffeId: string): TestWorkload {
  const made = testWorkload(authority, spiffeId);
  ends.push(() => made.close());
  return made;
}

interface Served {
  readonly port: number;
  readonly server: InboundServer;
  readonly own: TestWorkload;
  readonly events: InboundEvent[];
  readonly finished: ReturnType<typeof recordingTelemetry>['finished'];
  use(inbound: InboundSnapshot): void;
}

async function serve(
  first: Snapshot,
  listener: RequestListener = hello,
  settings: Partial<InboundSettings> = {},
): Promise<Served> {
  let snapshot = first;
  const own = workload(details);
  const events: InboundEvent[] = [];
  const { telemetry, finished } = recordingTelemetry();
  const server = new InboundServer({
    snapshot: () => snapshot,
    security: own.security,
    telemetry,
    clock: systemClock,
    draws: () => 0.5,
    onEvent: (event) => events.push(event),
    settings,
  });
  const { port } = await server.listen(listener, 0, '127.0.0.1');
  ends.push(() => server.drain(0));
  const use = (inbound: InboundSnapshot): void => {
    snapshot = snapshotOf(inbound, snapshot.generation + 1);
    server.policyChanged();
  };
  return { port, server, own, events, finished, use };
}

const hello: RequestListener = (request, response) => {
  response.end(request.mesh?.peer?.spiffeId ?? 'anonymous');
};

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

function answerOf(request: ReturnType<typeof httpRequest>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve({ status: response.statusCode, body, headers: response.headers }));
      response.once('error', reject);
    });
    request.end();
  });
}

const plain = (port: number, path = '/', agent?: Agent): Promise<Answer> =>
  answerOf(httpRequest({ host: '127.0.0.1', port, path, agent: agent ?? false }));

const upstreamTls: UpstreamTls = {
  presentsCertificate: true,
  certificateSource: { kind: 'identity' },
  rootSource: { kind: 'identity' },
  serverName: 'outbound_.9080_._.details.default.svc.cluster.local',
  alpnProtocols: ['istio-http/1.1', 'istio', 'http/1.1'],
  sans: [],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'up',
};

function secureOptions(caller: TestWorkload, changes: Partial<UpstreamTls> = {}): ConnectionOptions {
  return caller.security.connectOptions({ ...upstreamTls, ...changes });
}

const secure = (port: number, caller: TestWorkload, changes: Partial<UpstreamTls> = {}): Promise<Answer> =>
  answerOf(
    httpsRequest({ host: '127.0.0.1', port, path: '/', agent: false, ...secureOptions(caller, changes) } as never),
  );

async function secureSocket(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = tlsConnect({ host: '127.0.0.1', port, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

describe('what a port accepts', () => {
  test('STRICT: a mutual TLS caller is served and known by its SPIFFE id', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('strict')));
    expect(await secure(port, workload(productpage))).toMatchObject({ status: 200, body: productpage });
  });

  test('STRICT: a plain caller is reset and its request reaches no one', async () => {
    const { port, events } = await serve(snapshotOf(inboundSnapshot('strict')));
    await expect(plain(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(events).toMatchObject([{ kind: 'connection-refused', port }]);
  });

  test('PERMISSIVE: one port serves both, and only mutual TLS has a peer', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('permissive')));
    expect((await plain(port)).body).toBe('anonymous');
    expect((await secure(port, workload(productpage))).body).toBe(productpage);
  });

  test('DISABLE: plain text is served and TLS refused', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('disable')));
    expect((await plain(port)).body).toBe('anonymous');
    await expect(secure(port, workload(productpage))).rejects.toThrow();
  });

  test('nobody is served before the feed delivered', async () => {
    const { port } = await serve(snapshotOf(undefined, 0));
    await expect(plain(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a mesh whose feed has no inbound configuration serves plain text, not TLS', async () => {
    const { port } = await serve(snapshotOf(undefined, 1));
    expect((await plain(port)).status).toBe(200);
    await expect(secure(port, workload(productpage))).rejects.toThrow();
  });

  test('a mesh without a feed serves plain text', async () => {
    const { port } = await serve(snapshotOf(undefined, 0), hello, { awaitsFeed: false });
    expect((await plain(port)).status).toBe(200);
  });

  test('a caller whose certificate comes from another authority is refused', async () => {
    const { port, events } = await serve(snapshotOf(inboundSnapshot('strict')));
    const stranger = testAuthority('cluster.local');
    const liar = testWorkload(stranger, productpage, [authority]);
    ends.push(() => liar.close());
    await expect(secure(port, liar)).rejects.toThrow();
    expect(events.map(({ kind }) => kind)).toEqual(['handshake-failed']);
  });

  test('a caller without a certificate is refused under STRICT', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('strict')));
    await expect(secure(port, workload(productpage), { presentsCertificate: false })).rejects.toThrow();
  });

  test('a network policy closes connections before any request', async () => {
    const networkFilters = [
      {
        name: 'rbac',
        typeUrl: '',
        decide: () => ({ allow: false, details: 'rbac_access_denied_matched_policy[none]' }),
      },
    ];
    const { port, events } = await serve(snapshotOf(inboundSnapshot('permissive', { networkFilters })));
    await expect(plain(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(secure(port, workload(productpage))).rejects.toThrow();
    expect(events.map((event) => 'reason' in event && event.reason)).toEqual([
      'rbac_access_denied_matched_policy[none]',
      'rbac_access_denied_matched_policy[none]',
    ]);
  });
});

describe('handshakes', () => {
  test.each([
    [['istio-http/1.1', 'istio', 'http/1.1'], 'http/1.1'],
    [['istio-http/1.1', 'istio'], 'istio-http/1.1'],
    [['istio-peer-exchange', 'istio'], 'istio'],
    [['istio-peer-exchange'], 'istio-peer-exchange'],
    [['h2', 'http/1.1'], 'http/1.1'],
  ])('a caller that offers %j speaks %s', async (alpnProtocols, expected) => {
    const { port } = await serve(snapshotOf(inboundSnapshot('strict')));
    const socket = await secureSocket(port, secureOptions(workload(productpage), { alpnProtocols }));
    expect(socket.alpnProtocol).toBe(expected);
    socket.destroy();
  });

  test('a caller that speaks HTTP/2 only is told so by an alert', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('strict')));
    await expect(secure(port, workload(productpage), { alpnProtocols: ['h2'] })).rejects.toThrow(/alert|disconnected/);
  });

  test('new handshakes see a rotated certificate, and the old connection goes on', async () => {
    const { port, own } = await serve(snapshotOf(inboundSnapshot('strict')));
    const caller = workload(productpage);
    const before = await secureSocket(port, secureOptions(caller));
    const oldLeaf = before.getPeerX509Certificate()?.fingerprint256;
    own.rotate();
    const after = await secureSocket(port, secureOptions(caller));
    expect(after.getPeerX509Certificate()?.fingerprint256).not.toBe(oldLeaf);
    before.write('GET / HTTP/1.1\r\nhost: details\r\n\r\n');
    const [answer] = (await once(before, 'data')) as [Buffer];
    expect(answer.toString()).toContain('200 OK');
    before.destroy();
    after.destroy();
  });

  test('garbage that begins like TLS is closed', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('permissive')));
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(Buffer.from([0x16, 3, 1, 0, 5, 2, 0, 0, 1, 0]));
    await expect(once(socket, 'close')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a ClientHello that comes byte by byte is understood', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('strict')));
    const caller = workload(productpage);
    const raw = connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => undefined);
    await once(raw, 'connect');
    const write = raw.write.bind(raw);
    raw.write = ((chunk: Buffer, ...rest: never[]) => {
      for (const byte of chunk.subarray(0, -1)) write(Buffer.from([byte]));
      return write(chunk.subarray(-1), ...rest);
    }) as typeof raw.write;
    const socket = tlsConnect({ socket: raw, ...secureOptions(caller) }).on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.destroy();
  });

  test('a connection that says nothing is closed after the handshake timeout', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('permissive')), hello, { handshakeTimeoutMs: 20 });
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await expect(once(socket, 'close')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('policy that changes while connections live', () => {
  async function keptAlive(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: details\r\n\r\n');
    await once(socket, 'data');
    return socket;
  }

  test('PERMISSIVE to STRICT closes idle plain connections and keeps mutual TLS ones', async () => {
    const { port, use, finished } = await serve(snapshotOf(inboundSnapshot('permissive')));
    const open = await keptAlive(port);
    const safe = await secureSocket(port, secureOptions(workload(productpage)));
    await finished(1);
    const closed = once(open, 'close');
    use(inboundSnapshot('strict'));
    await closed;
    safe.write('GET / HTTP/1.1\r\nhost: details\r\nconnection: close\r\n\r\n');
    const [answer] = (await once(safe, 'data')) as [Buffer];
    expect(answer.toString()).toContain('200 OK');
    await expect(plain(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a request in flight is answered although its connection is no longer allowed', async () => {
    let release: () => void = () => undefined;
    const began = new Promise<void>((resolve) => {
      release = resolve;
    });
    let answer: (() => void) | undefined;
    const { port, use } = await serve(snapshotOf(inboundSnapshot('permissive')), (_, response) => {
      answer = () => response.end('done');
      release();
    });
    const waiting = plain(port);
    await began;
    use(inboundSnapshot('strict'));
    answer?.();
    expect(await waiting).toMatchObject({ status: 200, body: 'done' });
  });

  test('a mutual TLS connection must be made anew when its TLS policy changes', async () => {
    const { port, use } = await serve(snapshotOf(inboundSnapshot('strict')));
    const socket = await secureSocket(port, secureOptions(workload(productpage)));
    socket.write('GET / HTTP/1.1\r\nhost: details\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    use(inboundSnapshot('strict', { tls: { ...mutualTls, key: 'other SANs' } }));
    await closed;
  });
});

describe('drain', () => {
  test('answers what is in flight with Connection: close, refuses new connections, and leaves nothing', async () => {
    let answer: (() => void) | undefined;
    let release: () => void = () => undefined;
    const began = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port, server } = await serve(snapshotOf(inboundSnapshot('permissive')), (_, response) => {
      answer = () => response.end('last');
      release();
    });
    const waiting = plain(port);
    await began;
    const drained = server.drain(10_000);
    await expect(plain(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    answer?.();
    expect(await waiting).toMatchObject({ body: 'last', headers: { connection: 'close' } });
    await drained;
    expect(server.activeRequests).toBe(0);
  });

  test('closes idle kept-alive connections and silent ones at once', async () => {
    const { port, server, finished } = await serve(snapshotOf(inboundSnapshot('permissive')));
    const agent = new Agent({ keepAlive: true });
    await plain(port, '/', agent);
    await finished(1);
    const silent = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(silent, 'connect');
    await server.drain(60_000);
    agent.destroy();
  });

  test('cuts off a request that outlasts the drain time', async () => {
    let release: () => void = () => undefined;
    const began = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port, server, finished } = await serve(snapshotOf(inboundSnapshot('permissive')), () => release());
    const waiting = plain(port);
    const failed = expect(waiting).rejects.toThrow();
    await began;
    await server.drain(10);
    await failed;
    expect(await finished(1)).toMatchObject({ status: 0, flags: 'DC' });
  });
});
