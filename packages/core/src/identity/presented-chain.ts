// The certificates that a peer presented in its handshake, as DER.
import type { TLSSocket } from 'node:tls';

/** More than any honest chain; also ends the walk of a chain that loops. */
const longestChain = 10;

/** Leaf first; empty when the peer presented none. A resumed session may carry the leaf alone. */
export function presentedChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < longestChain) {
    const raw = certificate.raw;
    if (chain.some((known) => raw.equals(known))) break;
    chain.push(raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
