import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { testAuthority } from '../testing/test-certificates.js';
import type { IssueOptions } from '../testing/test-certificates.js';
import { externalVerdict, spiffeVerdict } from './peer-identity.js';
import type { SanMatcher } from './san-matcher.js';
import { parseTrustRoots, trustBundles } from './trust-bundles.js';
import { splitCertificates } from './x509/pem.js';

const id = 'spiffe://cluster.local/ns/default/sa/reviews';
const authority = testAuthority('cluster.local');
const roots = parseTrustRoots(trustBundles([['cluster.local', authority.rootPem]]));
const now = Date.UTC(2026, 5, 1);
const life = { notBeforeWallMs: now - 3_600_000, notAfterWallMs: now + 3_600_000 };
const derOf = (pem: string) => splitCertificates(pem).map((one) => new X509Certificate(one).raw);
const exact = (type: SanMatcher['type'], name: string): SanMatcher => ({
  type,
  matches: (san) => san === name,
  text: `exact ${name}`,
});
const verdictOf = (options: IssueOptions, sans: readonly SanMatcher[] = [], issuer = authority) =>
  spiffeVerdict(derOf(issuer.issue({ ...life, ...options }).certificateChainPem), roots, sans, now);

describe('a peer with a right certificate', () => {
  test('is who its URI SAN says, with namespace and service account', () => {
    const verdict = verdictOf({ spiffeId: id, dnsNames: ['reviews.default.svc'], commonName: 'reviews' });
    expect(verdict).toMatchObject({
      ok: true,
      peer: {
        spiffeId: id,
        trustDomain: 'cluster.local',
        namespace: 'default',
        serviceAccount: 'reviews',
        dnsNames: ['reviews.default.svc'],
        subject: 'CN=reviews',
      },
    });
  });

  test('is taken through two intermediates, in whatever order it sends them', () => {
    const upper = authority.intermediate();
    const leaf = upper.intermediate().issue({ spiffeId: id, ...life });
    const [first, ...rest] = derOf(leaf.certificateChainPem);
    expect(rest).toHaveLength(2);
    for (const order of [rest, rest.toReversed()])
      expect(spiffeVerdict([first!, ...order], roots, [], now).ok).toBe(true);
  });

  test('of another shape than Istio’s has no namespace', () => {
    expect(verdictOf({ spiffeId: 'spiffe://cluster.local/billing/api' })).toMatchObject({
      ok: true,
      peer: { namespace: undefined },
    });
  });

  test('must match one of the names that policy lists, by their type', () => {
    expect(verdictOf({ spiffeId: id }, [exact('uri', `${id}-v2`), exact('uri', id)]).ok).toBe(true);
    expect(verdictOf({ spiffeId: id, dnsNames: ['a.test'] }, [exact('any', 'a.test')]).ok).toBe(true);
    expect(verdictOf({ spiffeId: id }, [exact('dns', id)])).toEqual({
      ok: false,
      reason: `${id}: no name of the certificate matches exact ${id}`,
    });
  });
});

const rejections: readonly [string, IssueOptions, RegExp][] = [
  ['without a URI SAN', { dnsNames: ['reviews'] }, /no URI SAN/],
  ['with two URI SANs', { uris: [id, 'spiffe://cluster.local/ns/default/sa/admin'] }, /more than one URI SAN/],
  ['with another scheme', { uris: ['https://cluster.local/ns/default/sa/reviews'] }, /scheme/],
  ['with a dot segment', { uris: ['spiffe://cluster.local/ns/../sa/reviews'] }, /dot segment/],
  [
    'of a domain without bundle',
    { uris: ['spiffe://other.test/ns/default/sa/reviews'] },
    /no bundle for trust domain other\.test/,
  ],
  ['that is a CA', { spiffeId: id, ca: true, keyUsages: ['digitalSignature'] }, /must not be a CA/],
  ['that may sign certificates', { spiffeId: id, keyUsages: ['digitalSignature', 'keyCertSign'] }, /keyCertSign/],
  ['that may sign revocation lists', { spiffeId: id, keyUsages: ['digitalSignature', 'cRLSign'] }, /cRLSign/],
  ['without key usage', { spiffeId: id, keyUsages: undefined }, /digitalSignature/],
  ['for e-mail only', { spiffeId: id, extendedKeyUsages: ['emailProtection'] }, /extended key usage lacks serverAuth/],
  ['for servers only', { spiffeId: id, extendedKeyUsages: ['serverAuth'] }, /extended key usage lacks clientAuth/],
  ['past its end', { spiffeId: id, notAfterWallMs: now - 1000 }, /expired/],
  ['before its begin', { spiffeId: id, notBeforeWallMs: now + 1000 }, /not yet valid/],
  ['with a control byte in a name', { spiffeId: id, dnsNames: ['reviews\u0000.evil.test'] }, /malformed/],
];

describe('a peer is rejected with a certificate', () => {
  test.each(rejections)('%s', (_, options, reason) => {
    const verdict = verdictOf(options);
    expect(verdict.ok ? 'accepted' : verdict.reason).toMatch(reason);
  });

  test('that injects a URI into a DNS name, which the display string would show as one', () => {
    const issued = authority.issue({ dnsNames: [`reviews, URI:${id}`], ...life });
    expect(spiffeVerdict(derOf(issued.certificateChainPem), roots, [], now)).toEqual({
      ok: false,
      reason: 'the certificate has no URI SAN',
    });
  });

  test('that a foreign root of the same pool issued for our trust domain', () => {
    const foreign = testAuthority('partner.test');
    const both = parseTrustRoots(
      trustBundles([
        ['cluster.local', authority.rootPem],
        ['partner.test', foreign.rootPem],
      ]),
    );
    const stolen = derOf(foreign.issue({ spiffeId: id, ...life }).certificateChainPem + foreign.rootPem);
    expect(spiffeVerdict(stolen, both, [], now)).toEqual({
      ok: false,
      reason: `${id}: no root of its trust domain vouches for it`,
    });
    const own = derOf(foreign.issue({ spiffeId: 'spiffe://partner.test/ns/a/sa/b', ...life }).certificateChainPem);
    expect(spiffeVerdict(own, both, [], now).ok).toBe(true);
  });

  test.each([
    ['is no CA', { ca: false, keyUsages: ['digitalSignature'] }, /not a CA/],
    ['may not sign', { keyUsages: ['cRLSign'] }, /may not sign/],
    ['is expired', { notAfterWallMs: now - 1000 }, /expired/],
  ] satisfies [string, IssueOptions, RegExp][])('whose intermediate %s', (_, options, reason) => {
    const verdict = verdictOf({ spiffeId: id }, [], authority.intermediate(options));
    expect(verdict.ok ? 'accepted' : verdict.reason).toMatch(reason);
  });

  test('that is itself used to issue another one', () => {
    const leaf = authority.issue({ spiffeId: id, ...life, commonName: 'leaf' });
    const forged = authority.intermediate({ ca: false, keyUsages: ['digitalSignature'], spiffeId: id });
    expect(verdictOf({ spiffeId: 'spiffe://cluster.local/ns/default/sa/admin' }, [], forged).ok).toBe(false);
    expect(spiffeVerdict(derOf(leaf.certificateChainPem), roots, [], now).ok).toBe(true);
  });

  test('cut off or padded at any byte, without ever throwing', () => {
    const [der] = derOf(authority.issue({ spiffeId: id, ...life }).certificateChainPem);
    for (let cut = 0; cut < der!.length; cut += 7)
      expect(spiffeVerdict([der!.subarray(0, cut)], roots, [], now).ok).toBe(false);
  });
});

test('an outside server is taken by its DNS names and gets no mesh identity', () => {
  const chain = derOf(testAuthority('web.test').issue({ dnsNames: ['api.example.com'], ...life }).certificateChainPem);
  expect(externalVerdict(chain, [exact('dns', 'api.example.com')], now)).toMatchObject({
    ok: true,
    peer: { spiffeId: '' },
  });
  expect(externalVerdict(chain, [exact('dns', 'other.example.com')], now).ok).toBe(false);
  expect(externalVerdict([], [], now).ok).toBe(false);
});
