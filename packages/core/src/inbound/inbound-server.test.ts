// Which connections get in, and how servers and their connections end. Real sockets and certificates.
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { inboundSnapshot, snapshotOf } from '../testing/inbound-fixtures.js';
import { InboundRig, hello, plain, secure, secureOptions, secureSocket } from '../testing/inbound-rig.js';

const productpage = 'spiffe://cluster.local/ns/default/sa/productpage';
const rig = new InboundRig();
const { serve, workload, stranger } = rig;
afterEach(() => rig.close());

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
    await expect(secure(port, stranger(productpage))).rejects.toThrow();
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

describe('slow senders', () => {
  test.each(['permissive', 'strict'] as const)('%s: half a request head is cut off with 408', async (mode) => {
    const { port } = await serve(snapshotOf(inboundSnapshot(mode)), hello, { headersTimeoutMs: 40 });
    const socket =
      mode === 'strict'
        ? await secureSocket(port, secureOptions(workload(productpage)))
        : connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: det');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('408 Request Timeout');
    await once(socket, 'close');
  });

  test('a head beyond the limit is refused with 431', async () => {
    const { port } = await serve(snapshotOf(inboundSnapshot('permissive')), hello, { maxHeaderBytes: 2_048 });
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(4_096)}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('431 ');
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

  test('closes silent connections, and kept-alive ones that stay idle', async () => {
    const settings = { idleDrainMs: 20 };
    const { port, server, finished } = await serve(snapshotOf(inboundSnapshot('permissive')), hello, settings);
    const agent = new Agent({ keepAlive: true });
    await plain(port, '/', agent);
    await finished(1);
    const silent = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(silent, 'connect');
    await server.drain(60_000);
    agent.destroy();
  });

  test('answers a request that comes on an idle connection meanwhile, as its last', async () => {
    const settings = { idleDrainMs: 60_000 };
    const { port, server, finished } = await serve(snapshotOf(inboundSnapshot('permissive')), hello, settings);
    const agent = new Agent({ keepAlive: true });
    await plain(port, '/', agent);
    await finished(1);
    const drained = server.drain(60_000);
    expect(await plain(port, '/', agent)).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await drained;
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
