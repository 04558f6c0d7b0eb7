// Ring hash: each host owns points on a ring; a request goes to the first point at or after its hash (Envoy: RING_HASH, ketama).
import type { Host, Picker } from './picker.js';
import { requestHash } from './request-hash.js';
import { xxHash64 } from './xxhash64.js';

export interface RingPoint<H extends Host> {
  readonly position: bigint;
  readonly host: H;
}

/**
 * Points of all hosts in ring order. The number of points follows the weights: the smallest host gets a whole number of them within the given
 * bounds (Envoy: ring_hash_lb.cc, Ring).
 */
export function buildRing<H extends Host>(
  hosts: readonly H[],
  minimumSize: number,
  maximumSize: number,
): RingPoint<H>[] {
  const total = hosts.reduce((sum, host) => sum + host.weight, 0);
  if (total === 0) return [];
  const smallest = Math.min(...hosts.map((host) => host.weight)) / total;
  const scale = Math.min(Math.ceil(smallest * minimumSize) / smallest, maximumSize);
  const ring: RingPoint<H>[] = [];
  let target = 0;
  let made = 0;
  for (const host of hosts) {
    target += (scale * host.weight) / total;
    for (let index = 0; made < target; index++, made++)
      ring.push({ position: xxHash64(`${host.address}_${index}`), host });
  }
  return ring.sort((a, b) => (a.position < b.position ? -1 : a.position > b.position ? 1 : 0));
}

export function ringHashPicker<H extends Host>(
  hosts: readonly H[],
  minimumSize: number,
  maximumSize: number,
): Picker<H> {
  const ring = buildRing(hosts, minimumSize, maximumSize);
  return {
    pick(draw, hash, attempt) {
      if (ring.length === 0) return undefined;
      const first = firstAtOrAfter(ring, requestHash(draw, hash));
      // Envoy: the ring index is moved on by one for each host that the retry policy refused.
      return ring[(first + attempt) % ring.length]?.host;
    },
  };
}

function firstAtOrAfter<H extends Host>(ring: readonly RingPoint<H>[], hash: bigint): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ring[middle] as RingPoint<H>).position < hash) low = middle + 1;
    else high = middle;
  }
  return low === ring.length ? 0 : low;
}
