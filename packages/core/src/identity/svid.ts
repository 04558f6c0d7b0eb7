// An X.509-SVID from its PEM files: read, checked for being a pair, described.
import { createHash, createPrivateKey } from 'node:crypto';
import type { Svid } from './identity-provider.js';
import { parseSpiffeId } from './spiffe-id.js';
import { parseCertificate } from './x509/certificate.js';
import { splitCertificates } from './x509/pem.js';

export type SvidResult = { readonly ok: true; readonly svid: Svid } | { readonly ok: false; readonly reason: string };

/** Reads a chain (leaf first) and its key. Refused: no or a malformed leaf, other than one SPIFFE id, a key of another certificate. */
export function readSvid(certificateChainPem: string, privateKeyPem: string): SvidResult {
  const chain = splitCertificates(certificateChainPem);
  const leaf = chain[0] === undefined ? undefined : parseCertificate(chain[0]);
  if (leaf === undefined) return { ok: false, reason: 'the certificate chain holds no readable certificate' };
  const id = leaf.uris.length === 1 ? parseSpiffeId(leaf.uris[0] ?? '') : undefined;
  if (id?.ok !== true) return { ok: false, reason: 'the certificate must have exactly one URI SAN, a SPIFFE id' };
  if (!keyFits(leaf.x509, privateKeyPem))
    return { ok: false, reason: 'the private key does not belong to the certificate' };
  const svid: Svid = {
    spiffeId: id.id.text,
    trustDomain: id.id.trustDomain,
    certificateChainPem: chain.join(''),
    privateKeyPem,
    notBeforeWallMs: leaf.notBeforeWallMs,
    notAfterWallMs: leaf.notAfterWallMs,
    fingerprint: createHash('sha256').update(leaf.x509.raw).digest('hex'),
  };
  return { ok: true, svid };
}

function keyFits(
  leaf: { checkPrivateKey(key: ReturnType<typeof createPrivateKey>): boolean },
  privateKeyPem: string,
): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}
