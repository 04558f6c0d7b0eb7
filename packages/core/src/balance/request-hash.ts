// The hash that consistent-hash balancers look up: the request's own, or a random one where the route sets no hash policy (as Envoy does).
import type { Draws } from '../draws.js';

export function requestHash(draw: Draws, hash: bigint | undefined): bigint {
  if (hash !== undefined) return hash;
  const high = BigInt(Math.floor(draw('hash-fallback') * 0x1_0000_0000));
  const low = BigInt(Math.floor(draw('hash-fallback') * 0x1_0000_0000));
  return (high << 32n) | low;
}
