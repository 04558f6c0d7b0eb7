// Who is the peer? The one function that turns a certificate chain into an identity or a rejection (X509-SVID specification §4 and §5).
// Everything else calls it, after every handshake; no option weakens it.
import { createHash } from 'node:crypto';
import type { PeerIdentity, PeerVerdict } from './identity-provider.js';
import type { SanMatcher } from './san-matcher.js';
import { parseSpiffeId } from './spiffe-id.js';
import type { TrustRoots } from './trust-bundles.js';
import { parseCertificate } from './x509/certificate.js';
import type { ParsedCertificate } from './x509/certificate.js';
import { chainFault, validityFault } from './x509/chain.js';
import { EXTENDED_KEY_USAGES } from './x509/extensions.js';

const rejected = (reason: string) => ({ ok: false, reason }) as const;

/**
 * The SPIFFE identity that `chain` (DER, leaf first, as the peer presented it) proves at `nowWallMs`: valid by the bundle of its own trust
 * domain only, and matching one of `sans` where there are any.
 */
export function spiffeVerdict(
  chain: readonly Uint8Array[],
  roots: TrustRoots,
  sans: readonly SanMatcher[],
  nowWallMs: number,
): PeerVerdict {
  const parsed = chain.map((der) => parseCertificate(der));
  const [leaf, ...intermediates] = parsed;
  if (chain.length === 0) return rejected('the peer presented no certificate');
  const known = intermediates.filter((certificate) => certificate !== undefined);
  if (leaf === undefined || known.length < intermediates.length) return rejected('a certificate is malformed');
  if (leaf.uris.length !== 1)
    return rejected(
      leaf.uris.length === 0 ? 'the certificate has no URI SAN' : 'the certificate has more than one URI SAN',
    );
  const spiffe = parseSpiffeId(leaf.uris[0] ?? '');
  if (!spiffe.ok) return rejected(`the URI SAN is no SPIFFE id: ${spiffe.reason}`);
  const { id } = spiffe;
  const domainRoots = roots.byDomain.get(id.trustDomain);
  if (domainRoots === undefined) return rejected(`no bundle for trust domain ${id.trustDomain}`);
  const fault =
    leafFault(leaf) ??
    validityFault(leaf, nowWallMs) ??
    chainFault(leaf, known, domainRoots, nowWallMs) ??
    sanFault(leaf, sans);
  if (fault !== undefined) return rejected(`${id.text}: ${fault}`);
  return { ok: true, peer: peerOf(leaf, id) };
}

/**
 * The peer whose chain the TLS stack already verified by roots outside the mesh (a file or the system's). Its SANs must match where
 * `sans` names any. `spiffeId` and `trustDomain` are empty: such a certificate proves no identity of the mesh.
 */
export function externalVerdict(
  chain: readonly Uint8Array[],
  sans: readonly SanMatcher[],
  nowWallMs: number,
): PeerVerdict {
  const leaf = chain[0] && parseCertificate(chain[0]);
  if (leaf === undefined)
    return rejected(chain.length === 0 ? 'the peer presented no certificate' : 'the certificate is malformed');
  const fault = validityFault(leaf, nowWallMs) ?? sanFault(leaf, sans);
  if (fault !== undefined) return rejected(fault);
  return {
    ok: true,
    peer: peerOf(leaf, { text: '', trustDomain: '', namespace: undefined, serviceAccount: undefined }),
  };
}

/** X509-SVID §4: what a leaf must be. */
function leafFault(leaf: ParsedCertificate): string | undefined {
  if (leaf.ca) return 'a leaf must not be a CA';
  if (leaf.keyUsages?.has('digitalSignature') !== true) return 'key usage lacks digitalSignature';
  if (leaf.keyUsages.has('keyCertSign')) return 'a leaf must not have key usage keyCertSign';
  if (leaf.keyUsages.has('cRLSign')) return 'a leaf must not have key usage cRLSign';
  const purposes = leaf.extendedKeyUsages;
  for (const name of ['serverAuth', 'clientAuth'] as const) {
    if (purposes !== undefined && !purposes.includes(EXTENDED_KEY_USAGES[name]))
      return `extended key usage lacks ${name}`;
  }
  if (leaf.unknownCritical.length > 0) return `critical extension ${String(leaf.unknownCritical[0])} is not supported`;
  return undefined;
}

function sanFault(leaf: ParsedCertificate, sans: readonly SanMatcher[]): string | undefined {
  if (sans.length === 0 || sans.some((matcher) => namesFor(matcher, leaf).some((name) => matcher.matches(name))))
    return undefined;
  return `no name of the certificate matches ${sans.map(({ text }) => text).join(' or ')}`;
}

function namesFor(matcher: SanMatcher, leaf: ParsedCertificate): readonly string[] {
  switch (matcher.type) {
    case 'uri':
      return leaf.uris;
    case 'dns':
      return leaf.dnsNames;
    case 'email':
      return leaf.emails;
    case 'ip':
      return leaf.ips;
    case 'any':
      return [...leaf.uris, ...leaf.dnsNames, ...leaf.emails, ...leaf.ips];
  }
}

type Identity = Pick<PeerIdentity, 'trustDomain' | 'namespace' | 'serviceAccount'> & { readonly text: string };

function peerOf(leaf: ParsedCertificate, id: Identity): PeerIdentity {
  return {
    spiffeId: id.text,
    trustDomain: id.trustDomain,
    namespace: id.namespace,
    serviceAccount: id.serviceAccount,
    certificateSha256: createHash('sha256').update(leaf.x509.raw).digest('hex'),
    // Node prints one attribute a line, most significant first; XFCC wants RFC 2253 order.
    subject: leaf.x509.subject ? leaf.x509.subject.split('\n').reverse().join(',') : '',
    dnsNames: leaf.dnsNames,
  };
}
