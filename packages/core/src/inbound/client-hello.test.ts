import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readClientHello } from './client-hello.js';

let hello: Buffer;

/** The first flight of a real client. */
async function capture(servername: string | undefined, ALPNProtocols: string[]): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({
    port,
    host: '127.0.0.1',
    ...(servername === undefined ? {} : { servername }),
    ALPNProtocols,
  });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

beforeAll(async () => {
  hello = await capture('Outbound_.9080_.V1_.Reviews', ['istio-http/1.1', 'istio']);
});

describe('a real client’s hello', () => {
  test('tells SNI in lower case and the offered protocols in order', () => {
    expect(readClientHello(hello)).toEqual({
      kind: 'hello',
      hello: { serverName: 'outbound_.9080_.v1_.reviews', applicationProtocols: ['istio-http/1.1', 'istio'] },
    });
  });

  test('without SNI and ALPN has neither', async () => {
    expect(readClientHello(await capture(undefined, []))).toEqual({
      kind: 'hello',
      hello: { serverName: '', applicationProtocols: [] },
    });
  });

  test('is partial at every cut, and never something else', () => {
    for (let length = 1; length < hello.length; length++)
      expect(readClientHello(hello.subarray(0, length)).kind).toBe('partial');
  });

  test('is the same when it is spread over many records', () => {
    const whole = readClientHello(hello);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (size) => {
        expect(readClientHello(inRecords(hello.subarray(5), size))).toEqual(whole);
      }),
    );
  });
});

describe('hostile bytes', () => {
  test('give a verdict, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(['hello', 'partial', 'malformed']).toContain(readClientHello(Buffer.from(bytes)).kind);
      }),
    );
  });

  test('give a verdict where a real hello was changed in one byte', () => {
    fc.assert(
      fc.property(fc.nat({ max: 250 }), fc.nat({ max: 255 }), (at, value) => {
        const changed = Buffer.from(hello);
        changed[at % changed.length] = value;
        expect(['hello', 'partial', 'malformed']).toContain(readClientHello(changed).kind);
      }),
    );
  });

  test.each([
    ['a record that is no handshake', Buffer.from([0x17, 3, 1, 0, 1, 0])],
    ['an empty record', Buffer.from([0x16, 3, 1, 0, 0])],
    ['a handshake that is no ClientHello', Buffer.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a hello of 16 MB', Buffer.from([0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])],
  ])('%s is malformed', (_, bytes) => {
    expect(readClientHello(bytes).kind).toBe('malformed');
  });
});

/** The handshake message cut into records of `size` bytes. */
function inRecords(message: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let i = 0; i < message.length; i += size) {
    const part = message.subarray(i, i + size);
    records.push(Buffer.from([0x16, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}
