// Does a chain of certificates lead from a leaf to one of the given roots? Walked here and not left to the TLS stack, which pools the
// roots of all trust domains: there a foreign root could vouch for an identity of ours.
import type { ParsedCertificate } from './certificate.js';

/** Longest chain and widest set of intermediates that is looked at: bounds the signatures that a hostile peer makes us check. */
const maxIntermediates = 8;

/** Undefined when a chain to a root exists; otherwise why none does. Each intermediate is visited once, nearest to the leaf first. */
export function chainFault(
  leaf: ParsedCertificate,
  presented: readonly ParsedCertificate[],
  roots: readonly ParsedCertificate[],
  nowWallMs: number,
): string | undefined {
  if (presented.length > maxIntermediates) return `more than ${maxIntermediates} intermediate certificates`;
  const faultySigner = presented.map(signerFault).find((reason) => reason !== undefined);
  if (faultySigner !== undefined) return faultySigner;
  const usableRoots = roots.filter((root) => validityFault(root, nowWallMs) === undefined);
  const unvisited = new Set(presented);
  let fault: string | undefined;
  let level: readonly ParsedCertificate[] = [leaf];
  for (let below = 0; level.length > 0; below++) {
    const issuers: ParsedCertificate[] = [];
    for (const subject of level) {
      if (usableRoots.some((root) => (root.pathLength ?? Infinity) >= below && issued(root, subject))) return undefined;
      for (const candidate of unvisited) {
        if (!issued(candidate, subject)) continue;
        unvisited.delete(candidate);
        const wrong = issuerFault(candidate, below, nowWallMs);
        if (wrong === undefined) issuers.push(candidate);
        else fault ??= wrong;
      }
    }
    level = issuers;
  }
  return fault ?? 'no root of its trust domain vouches for it';
}

function issued(issuer: ParsedCertificate, subject: ParsedCertificate): boolean {
  try {
    return subject.x509.checkIssued(issuer.x509) && subject.x509.verify(issuer.x509.publicKey);
  } catch {
    return false;
  }
}

/** What every certificate above the leaf must be, used or not (X509-SVID §4: signing certificates). */
function signerFault(signer: ParsedCertificate): string | undefined {
  if (!signer.ca) return 'an intermediate certificate is not a CA';
  if (signer.keyUsages?.has('keyCertSign') !== true) return 'an intermediate certificate may not sign certificates';
  const unknown = signer.unknownCritical[0];
  return unknown && `an intermediate certificate has the critical extension ${unknown}, which is not supported`;
}

/** RFC 5280 §6.1.4: what an intermediate must be at its place in the chain. */
function issuerFault(issuer: ParsedCertificate, below: number, nowWallMs: number): string | undefined {
  if ((issuer.pathLength ?? Infinity) < below) return 'an intermediate certificate allows no chain this long';
  const fault = validityFault(issuer, nowWallMs);
  return fault && `an intermediate certificate is ${fault}`;
}

export function validityFault(certificate: ParsedCertificate, nowWallMs: number): string | undefined {
  // Written so that an unreadable date (NaN) counts as invalid.
  if (!(nowWallMs >= certificate.notBeforeWallMs)) return 'not yet valid';
  return nowWallMs <= certificate.notAfterWallMs ? undefined : 'expired';
}
