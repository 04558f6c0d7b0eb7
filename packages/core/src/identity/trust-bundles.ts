// Sets of roots by trust domain, as values; and the same parsed once for verification.
import { createHash } from 'node:crypto';
import type { TrustBundles } from './identity-provider.js';
import { parseCertificate } from './x509/certificate.js';
import type { ParsedCertificate } from './x509/certificate.js';
import { splitCertificates } from './x509/pem.js';

/** Bundles from PEM texts by trust domain; each text may hold several roots. Equal roots give an equal version. */
export function trustBundles(pemByDomain: Iterable<readonly [trustDomain: string, pem: string]>): TrustBundles {
  const byDomain = new Map<string, readonly string[]>();
  for (const [domain, pem] of pemByDomain) {
    byDomain.set(domain, [...new Set([...(byDomain.get(domain) ?? []), ...splitCertificates(pem)])]);
  }
  const hash = createHash('sha256');
  for (const domain of [...byDomain.keys()].sort())
    hash.update(JSON.stringify([domain, ...(byDomain.get(domain) ?? []).toSorted()]));
  return { byDomain, version: hash.digest('hex').slice(0, 16) };
}

export const emptyBundles: TrustBundles = trustBundles([]);

export interface TrustRoots {
  readonly byDomain: ReadonlyMap<string, readonly ParsedCertificate[]>;
  /** Every root of every domain, PEM: what a TLS stack is given, which knows one pool only. */
  readonly allPem: readonly string[];
}

/** Roots that don't parse are left out: nothing can be verified by them. */
export function parseTrustRoots(bundles: TrustBundles): TrustRoots {
  const byDomain = new Map<string, readonly ParsedCertificate[]>();
  for (const [domain, roots] of bundles.byDomain) {
    byDomain.set(
      domain,
      roots.map(parseCertificate).filter((root) => root !== undefined),
    );
  }
  return { byDomain, allPem: [...new Set([...bundles.byDomain.values()].flat())] };
}
