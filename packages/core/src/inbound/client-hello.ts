// Reads SNI and ALPN from the first bytes of a TLS connection, before the handshake, as Envoy's tls_inspector does. RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301.

export interface ClientHello {
  /** Lower case; empty when none was sent. */
  readonly serverName: string;
  readonly applicationProtocols: readonly string[];
}

export type ClientHelloReading =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  /** More bytes are needed. */
  | { readonly kind: 'partial' }
  | { readonly kind: 'malformed'; readonly reason: string };

/** First byte of a TLS record that holds a handshake message. */
export const TLS_HANDSHAKE_RECORD = 0x16;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
/** Larger hellos are refused; post-quantum key shares make about 2 KiB (Envoy: 16 KiB). */
const MAX_HELLO_BYTES = 16_384;

/** Never throws, whatever the bytes are. */
export function readClientHello(bytes: Buffer): ClientHelloReading {
  const message = handshakeMessage(bytes);
  if (!Buffer.isBuffer(message)) return message;
  const cursor = new Cursor(message);
  cursor.skip(2 + 32);
  cursor.skip(cursor.u8());
  cursor.skip(cursor.u16());
  cursor.skip(cursor.u8());
  // A hello may end here (TLS 1.2 without extensions).
  const extensions = cursor.failed || cursor.atEnd ? undefined : cursor.block(cursor.u16());
  if (cursor.failed) return { kind: 'malformed', reason: 'truncated ClientHello' };
  const hello = extensions === undefined ? { serverName: '', applicationProtocols: [] } : readExtensions(extensions);
  return hello === undefined ? { kind: 'malformed', reason: 'malformed extensions' } : { kind: 'hello', hello };
}

/** The body of the ClientHello, gathered from as many records as it spans. */
function handshakeMessage(bytes: Buffer): Buffer | Exclude<ClientHelloReading, { kind: 'hello' }> {
  const parts: Buffer[] = [];
  let gathered = 0;
  let offset = 0;
  for (;;) {
    const length = wantedLength(parts, gathered);
    if (length === 'other') return { kind: 'malformed', reason: 'not a ClientHello' };
    if (length !== undefined && length > MAX_HELLO_BYTES) return { kind: 'malformed', reason: 'ClientHello too large' };
    if (length !== undefined && gathered >= length) return Buffer.concat(parts).subarray(4, length);
    if (bytes.length < offset + 5) return bytes.length > 4 * MAX_HELLO_BYTES ? tooLarge() : { kind: 'partial' };
    if (bytes[offset] !== TLS_HANDSHAKE_RECORD || bytes[offset + 1] !== 3)
      return { kind: 'malformed', reason: 'not a TLS handshake record' };
    const size = bytes.readUInt16BE(offset + 3);
    if (size === 0 || size > MAX_HELLO_BYTES + 256) return { kind: 'malformed', reason: 'bad record length' };
    if (bytes.length < offset + 5 + size) return { kind: 'partial' };
    parts.push(bytes.subarray(offset + 5, offset + 5 + size));
    gathered += size;
    offset += 5 + size;
  }
}

function tooLarge(): { readonly kind: 'malformed'; readonly reason: string } {
  return { kind: 'malformed', reason: 'ClientHello too large' };
}

/** Bytes of the handshake message with its 4-byte header; undefined while the header is incomplete. */
function wantedLength(parts: readonly Buffer[], gathered: number): number | 'other' | undefined {
  if (gathered < 4) return undefined;
  const head = Buffer.concat(parts, Math.min(gathered, 4));
  return head[0] === CLIENT_HELLO ? 4 + head.readUIntBE(1, 3) : 'other';
}

function readExtensions(block: Buffer): ClientHello | undefined {
  const cursor = new Cursor(block);
  let serverName = '';
  let applicationProtocols: readonly string[] = [];
  while (!cursor.atEnd && !cursor.failed) {
    const type = cursor.u16();
    const body = cursor.block(cursor.u16());
    if (type === SERVER_NAME) serverName = readServerName(body);
    else if (type === ALPN) applicationProtocols = readProtocols(body);
  }
  return cursor.failed ? undefined : { serverName, applicationProtocols };
}

function readServerName(body: Buffer): string {
  const list = new Cursor(body);
  list.skip(2);
  const type = list.u8();
  const name = list.block(list.u16());
  return list.failed || type !== 0 ? '' : name.toString('latin1').toLowerCase();
}

function readProtocols(body: Buffer): readonly string[] {
  const names: string[] = [];
  const list = new Cursor(body);
  list.skip(2);
  while (!list.atEnd && !list.failed) names.push(list.block(list.u8()).toString('latin1'));
  return list.failed ? [] : names;
}

/** Reads forward; reading past the end yields zeros and marks the cursor as failed. */
class Cursor {
  #offset = 0;
  failed = false;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.#offset >= this.bytes.length;
  }

  u8(): number {
    return this.block(1)[0] ?? 0;
  }

  u16(): number {
    const two = this.block(2);
    return two.length === 2 ? two.readUInt16BE(0) : 0;
  }

  skip(count: number): void {
    this.block(count);
  }

  block(count: number): Buffer {
    if (this.#offset + count > this.bytes.length) {
      this.failed = true;
      return Buffer.alloc(0);
    }
    this.#offset += count;
    return this.bytes.subarray(this.#offset - count, this.#offset);
  }
}
