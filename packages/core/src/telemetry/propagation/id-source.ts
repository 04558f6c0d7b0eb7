// Trace ids, span ids and request ids: unique across processes, cheap, not secret. xorshift128 seeded from the system's entropy, written as hex
// through a table of three digits (a table of one digit costs three times as much).
import { randomFillSync } from 'node:crypto';

const threeDigits: readonly string[] = Array.from({ length: 4096 }, (_, value) => value.toString(16).padStart(3, '0'));

export interface IdSource {
  /** 32 hex digits, never all zero. */
  traceId(): string;
  /** 16 hex digits, never all zero. */
  spanId(): string;
  /** A version 4 UUID, unique by a random series of 4096 ids and a count in it: the shape of Envoy's x-request-id (Envoy: uuid request id extension; the `4` says that no trace decision is packed in it). */
  requestId(): string;
}

/** Four words of entropy: the seed of a process's ids. */
export function entropySeed(): Uint32Array {
  return randomFillSync(new Uint32Array(4));
}

/** Request ids that share their middle: a whole id of new digits costs five times as much. Three digits count them. */
const IDS_A_SERIES = 4096;

class XorshiftIds implements IdSource {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #series = '';
  #count = IDS_A_SERIES;

  constructor(seed: Uint32Array) {
    this.#a = (seed[0] ?? 0) | 0;
    this.#b = (seed[1] ?? 0) | 0;
    this.#c = (seed[2] ?? 0) | 0;
    // The state must not be all zero (Marsaglia, "Xorshift RNGs", 2003).
    this.#d = (seed[3] ?? 0) | 1;
  }

  traceId(): string {
    return hexWord(this.#next()) + hexWord(this.#next()) + hexWord(this.#next()) + hexWord(this.#next() | 1);
  }

  spanId(): string {
    return hexWord(this.#next()) + hexWord(this.#next() | 1);
  }

  requestId(): string {
    if (this.#count === IDS_A_SERIES) {
      this.#series = this.#newSeries();
      this.#count = 0;
    }
    return hexWord(this.#next()) + this.#series + digits(this.#count++);
  }

  /** All of a request id but its first eight digits, which Envoy samples by and which are drawn for each, and its last three, which count. */
  #newSeries(): string {
    const second = (this.#next() & 0xffff0fff) | 0x4000;
    const third = (this.#next() & 0x3fffffff) | 0x80000000;
    const parts = [second >>> 16, second & 0xffff, third >>> 16].map(hexHalf);
    const text = `-${parts.join('-')}-${hexHalf(third & 0xffff)}${hexWord(this.#next()).slice(0, 5)}`;
    // Joined by a template it would be a rope, flattened anew for every id.
    return Buffer.from(text, 'latin1').toString('latin1');
  }

  #next(): number {
    const t = this.#a ^ (this.#a << 11);
    this.#a = this.#b;
    this.#b = this.#c;
    this.#c = this.#d;
    this.#d = this.#d ^ (this.#d >>> 19) ^ t ^ (t >>> 8);
    return this.#d;
  }
}

function hexWord(word: number): string {
  return digits(word >>> 20) + digits((word >>> 8) & 0xfff) + twoDigits(word & 0xff);
}

function hexHalf(half: number): string {
  return twoDigits(half >>> 8) + twoDigits(half & 0xff);
}

function digits(value: number): string {
  return threeDigits[value] as string;
}

const twoDigitTable: readonly string[] = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

function twoDigits(value: number): string {
  return twoDigitTable[value] as string;
}

/** Ids from a seed of four words; production passes `entropySeed()`. */
export function createIdSource(seed: Uint32Array): IdSource {
  return new XorshiftIds(seed);
}
