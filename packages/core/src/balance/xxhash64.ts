// xxHash64, the hash of Envoy's consistent-hash balancers (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md).

const MASK = 0xffff_ffff_ffff_ffffn;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & MASK;
const round = (accumulator: bigint, lane: bigint) => (rotate((accumulator + lane * P2) & MASK, 31n) * P1) & MASK;
const merge = (hash: bigint, lane: bigint) => ((hash ^ round(0n, lane)) * P1 + P4) & MASK;

/** 64-bit hash of the UTF-8 bytes of a text. */
export function xxHash64(text: string, seed = 0n): bigint {
  const bytes = Buffer.from(text);
  let offset = 0;
  let hash = (seed + P5) & MASK;
  if (bytes.length >= 32) {
    const lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed & MASK, (seed - P1) & MASK] as const;
    let [a, b, c, d]: [bigint, bigint, bigint, bigint] = [...lanes];
    for (; offset + 32 <= bytes.length; offset += 32) {
      a = round(a, bytes.readBigUInt64LE(offset));
      b = round(b, bytes.readBigUInt64LE(offset + 8));
      c = round(c, bytes.readBigUInt64LE(offset + 16));
      d = round(d, bytes.readBigUInt64LE(offset + 24));
    }
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  return avalanche(absorbTail((hash + BigInt(bytes.length)) & MASK, bytes, offset));
}

function absorbTail(start: bigint, bytes: Buffer, from: number): bigint {
  let hash = start;
  let offset = from;
  for (; offset + 8 <= bytes.length; offset += 8)
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(offset)), 27n) * P1 + P4) & MASK;
  if (offset + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(offset)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    offset += 4;
  }
  for (; offset < bytes.length; offset++)
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt8(offset)) * P5) & MASK), 11n) * P1) & MASK;
  return hash;
}

function avalanche(value: bigint): bigint {
  let hash = value;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}
