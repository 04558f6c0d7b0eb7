// Maglev: a lookup table of prime size that every host fills in turn by its own permutation (Envoy: MAGLEV; Google's Maglev paper, §3.4).
import type { Host, Picker } from './picker.js';
import { requestHash } from './request-hash.js';
import { xxHash64 } from './xxhash64.js';

interface Builder<H extends Host> {
  readonly host: H;
  readonly offset: number;
  readonly skip: number;
  next: number;
  target: number;
}

/** The table: one host per slot, each host near its share by weight. `tableSize` must be prime. */
export function buildMaglevTable<H extends Host>(hosts: readonly H[], tableSize: number): H[] {
  if (hosts.length === 0) return [];
  const size = BigInt(tableSize);
  const builders = [...hosts]
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
    .map((host): Builder<H> => ({
      host,
      offset: Number(xxHash64(host.address) % size),
      skip: Number(xxHash64(host.address, 1n) % (size - 1n)) + 1,
      next: 0,
      target: 0,
    }));
  return fill(builders, tableSize);
}

function fill<H extends Host>(builders: readonly Builder<H>[], tableSize: number): H[] {
  const heaviest = Math.max(...builders.map((builder) => builder.host.weight));
  const table = new Array<H | undefined>(tableSize).fill(undefined);
  let filled = 0;
  for (let iteration = 1; filled < tableSize; iteration++) {
    for (const builder of builders) {
      if (filled >= tableSize) break;
      // A lighter host skips turns until its share is due (Envoy: OriginalMaglevTable::constructImplementationInternals).
      if (iteration * builder.host.weight < builder.target) continue;
      builder.target += heaviest;
      let slot = slotOf(builder, tableSize);
      while (table[slot] !== undefined) {
        builder.next += 1;
        slot = slotOf(builder, tableSize);
      }
      table[slot] = builder.host;
      builder.next += 1;
      filled += 1;
    }
  }
  return table as H[];
}

const slotOf = (builder: { offset: number; skip: number; next: number }, tableSize: number) =>
  (builder.offset + builder.skip * builder.next) % tableSize;

export function maglevPicker<H extends Host>(hosts: readonly H[], tableSize: number): Picker<H> {
  const table = buildMaglevTable(hosts, tableSize);
  return {
    pick(draw, hash, attempt) {
      if (table.length === 0) return undefined;
      let key = requestHash(draw, hash);
      // Envoy: a refused host changes the hash to `hash ^ (~0 - attempt + 1)`.
      if (attempt > 0) key ^= 0xffff_ffff_ffff_ffffn - BigInt(attempt) + 1n;
      return table[Number(key % BigInt(table.length))];
    },
  };
}
