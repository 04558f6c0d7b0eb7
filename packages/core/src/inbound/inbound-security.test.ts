// Handshakes, and what becomes of live connections when policy, certificates or trust change. Real sockets and certificates.
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { inboundSnapshot, mutualTls, snapshotOf } from '../testing/inbound-fixtures.js';
import { InboundRig, hello, plain, secure, secureOptions, secureSocket } from '../testing/inbound-rig.js';
import { testAuthority } from '../testing/test-certificates.js';

const productpage = 'spiffe://cluster.local/ns/default/sa/productpage';
const rig = new InboundRig();
const { serve, workload } = rig;
afterEach(() => rig.close());

describe('handshakes', () => {
  test.each([
    [['istio-http/1.1', 'istio', 'http/1.1'], 'http/1.1'],
    [['istio-http/1.1', 'istio'], 'istio-http/1.1'],
    [['istio-peer-exchange', 'istio'], 'istio'],
    [['istio-peer-exchange'], 'istio-peer-exchange'],
    [['h2', 'http/1.1'], 'http/1.1'],
    // An Envoy sidecar whose upstream may speak either (auto_config).
    [['istio-h2', 'istio-http/1.1', 'h2', 'http/1.1'], 'http/1.1'],
    [['istio-h2', 'istio-http/1.1', 'istio'], 'istio-http/1.1'],
  ])('a caller that offers %j speaks %s', async (alpnProtocols, expected) => {
    const { port } = await serve(snapshotOf(inboundSnapshot('strict')));
    const socket = await secureSocket(port, secureOptions(workload(productpage), { alpnProtocols }));
    expect(socket.alpnProtocol).toBe(expected);
    socket.destroy();
  });

  test('a caller that speaks HTTP/2 only is told so by an alert', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('strict')));
    for (const alpnProtocols of [['h2'], ['istio-h2', 'h2']])
      await expect(secure(port, workload(productpage), { alpnProtocols })).rejects.toThrow(/alert|disconnected/);
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
    raw.write = (chunk: Buffer, ...rest: never[]) => {
      for (const byte of chunk.subarray(0, -1)) write(Buffer.from([byte]));
      return write(chunk.subarray(-1), ...rest);
    };
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

describe('trust that changes while connections live', () => {
  async function answered(socket: Socket): Promise<string> {
    socket.write('GET / HTTP/1.1\r\nhost: details\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  }

  test('a root that is taken out ends the connections that it vouched for, before their next request', async () => {
    const { port, own, events } = await serve(snapshotOf(inboundSnapshot('strict')));
    const socket = await secureSocket(port, secureOptions(workload(productpage)));
    expect(await answered(socket)).toContain('200 OK');
    own.rotate([testAuthority('cluster.local')]);
    socket.write('GET / HTTP/1.1\r\nhost: details\r\n\r\n');
    await once(socket, 'close');
    expect(events.map(({ kind }) => kind)).toEqual(['connection-revoked']);
  });

  test('a new certificate of our own loses no request of open connections', async () => {
    const { port, own } = await serve(snapshotOf(inboundSnapshot('strict')));
    const socket = await secureSocket(port, secureOptions(workload(productpage)));
    for (let i = 0; i < 3; i++) {
      expect(await answered(socket)).toContain(productpage);
      own.rotate();
    }
    socket.destroy();
  });
});
