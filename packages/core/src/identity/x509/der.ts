// DER, the encoding of certificates (ITU-T X.690): a small writer, and a strict reader that never reads past its input.

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of a context-specific element `[number]`. */
export const contextTag = (number: number, constructed: boolean): number => 0x80 | (constructed ? 0x20 : 0) | number;

export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), encodedLength(content.length), content]);
}

function encodedLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(Tag.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => element(Tag.set, ...parts);
export const octetString = (content: Uint8Array): Buffer => element(Tag.octetString, content);
export const utf8String = (text: string): Buffer => element(Tag.utf8String, Buffer.from(text, 'utf8'));
export const boolean = (value: boolean): Buffer => element(Tag.boolean, Buffer.from([value ? 0xff : 0]));

/** A non-negative integer from its big-endian bytes; a zero byte goes before a set sign bit. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  return element(Tag.integer, Buffer.from((trimmed[0] ?? 0) & 0x80 || trimmed.length === 0 ? [0] : []), trimmed);
}

/** Whole bytes unless `unusedBits` says how many low bits of the last byte do not count. */
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  element(Tag.bitString, Buffer.from([unusedBits]), content);

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(Tag.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). Whole seconds. */
export function time(wallMs: number): Buffer {
  const digits = new Date(wallMs).toISOString().replace(/[-T:]|\.\d+/g, '');
  const general = wallMs >= Date.UTC(2050, 0, 1);
  return element(
    general ? Tag.generalizedTime : Tag.utcTime,
    Buffer.from(general ? digits : digits.slice(2), 'latin1'),
  );
}

/** One element: its tag, its content, and all its bytes (tag and length included). */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The elements that `bytes` holds side by side; undefined when they are not well-formed DER. */
export function readElements(bytes: Uint8Array): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const next = readElement(bytes, offset);
    if (next === undefined) return undefined;
    elements.push(next);
    offset += next.bytes.length;
  }
  return elements;
}

/** The elements inside a constructed element of the given tag; undefined when it is another one or malformed. */
export function readInside(outer: DerElement | undefined, tag: number): readonly DerElement[] | undefined {
  return outer?.tag === tag ? readElements(outer.content) : undefined;
}

function readElement(bytes: Uint8Array, offset: number): DerElement | undefined {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  // Tags above 30 take more bytes and do not occur in certificates.
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) return undefined;
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + i] ?? Number.NaN);
    start += count;
    // DER allows the shortest form only (X.690 §10.1).
    if (length < 0x80 || (count > 1 && length < 2 ** (8 * (count - 1)))) return undefined;
  }
  const end = start + length;
  if (!(end <= bytes.length)) return undefined;
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(offset, end) };
}

/** Dotted form of an object identifier's content. */
export function readObjectId(content: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (numbers.length > 0) numbers.push(value);
    else numbers.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    value = 0;
  }
  return numbers.join('.');
}
