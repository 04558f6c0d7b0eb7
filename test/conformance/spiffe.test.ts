// SPIFFE's own cases (go-spiffe's tables, read in place) against the id parser and the peer verification.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SanMatcher } from '../../packages/core/src/identity/san-matcher.js';
import { spiffeVerdict } from '../../packages/core/src/identity/peer-identity.js';
import { parseSpiffeId, pathFault, trustDomainFault } from '../../packages/core/src/identity/spiffe-id.js';
import { parseTrustRoots, trustBundles } from '../../packages/core/src/identity/trust-bundles.js';
import type { KeyUsage } from '../../packages/core/src/identity/x509/extensions.js';
import { splitCertificates } from '../../packages/core/src/identity/x509/pem.js';
import { testAuthority } from '../../packages/core/src/testing/test-certificates.js';
import type { TestAuthority } from '../../packages/core/src/testing/test-certificates.js';

const repository = resolve(import.meta.dirname, '../..');
const folder = join(resolve(repository, process.env['HEDDLE_CORPORA'] ?? '../shared/corpora'), 'spiffe');
const present = existsSync(folder);
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const derOf = (pem: string) => splitCertificates(pem).map((one) => new X509Certificate(one).raw);

interface IdCase {
  input: string;
  valid: boolean;
  trust_domain?: string;
  path?: string;
  reason?: string;
}
interface PathCase {
  op: 'join_segments' | 'from_path';
  segments?: string[];
  path?: string;
  valid: boolean;
}
interface VerifyCase {
  name: string;
  given: {
    leaf: { issuer: string; uri_sans: string[]; is_ca: boolean; key_usage: KeyUsage[]; dns_sans?: string[] };
    bundles: Record<string, string[]> | null;
    time: string;
    chain?: [];
    accept?: string[];
  };
  expected: { valid: boolean; spiffe_id?: string };
}

describe.skipIf(!present)(`SPIFFE cases (${present ? 'found' : 'skipped: no corpora folder'})`, () => {
  test('every SPIFFE id is taken or refused as SPIFFE says', () => {
    const { cases } = read('spiffe-ids.json') as { cases: IdCase[] };
    expect(cases.length).toBeGreaterThan(500);
    for (const { input, valid, trust_domain, path = '' } of cases) {
      const result = parseSpiffeId(input);
      expect([input, result.ok]).toEqual([input, valid]);
      if (result.ok && valid) expect([result.id.trustDomain, result.id.path]).toEqual([trust_domain, path]);
    }
  });

  test('every trust domain, given as a name or an id, is taken or refused as SPIFFE says', () => {
    for (const { input, valid } of (read('trust-domains.json') as { cases: IdCase[] }).cases) {
      const ok = input.includes(':/') ? parseSpiffeId(input).ok : trustDomainFault(input) === undefined;
      expect([input, ok]).toEqual([input, valid]);
    }
  });

  test('every path is taken or refused as SPIFFE says', () => {
    for (const { op, segments = [], path = '', valid } of (read('paths.json') as { cases: PathCase[] }).cases) {
      const whole = op === 'from_path' ? path : segments.map((segment) => `/${segment}`).join('');
      expect([whole, pathFault(whole) === undefined]).toEqual([whole, valid]);
    }
  });

  const verifyCases = present ? (read('x509-verify.json') as { cases: VerifyCase[] }).cases : [];
  test.each(verifyCases.map((one) => [one.name, one] as const))('X.509: %s', (_, { given, expected }) => {
    const ca1 = testAuthority('domain1.test');
    const authorities: Record<string, TestAuthority> = {
      ca1,
      ca2: testAuthority('domain2.test'),
      self: testAuthority('domain1.test'),
      'intermediate-not-ca': ca1.intermediate({ ca: false, keyUsages: ['digitalSignature'] }),
    };
    const notBeforeWallMs = Date.UTC(2026, 0, 1);
    const notAfterWallMs = Date.UTC(2026, 0, 2);
    const leaf = authorities[given.leaf.issuer]!.issue({
      uris: given.leaf.uri_sans,
      dnsNames: given.leaf.dns_sans ?? [],
      ca: given.leaf.is_ca,
      keyUsages: given.leaf.key_usage,
      notBeforeWallMs,
      notAfterWallMs,
    });
    const bundles = Object.entries(given.bundles ?? {}).map(
      ([domain, names]) => [domain, names.map((name) => authorities[name]!.rootPem).join('')] as const,
    );
    const accept = given.accept?.map((id): SanMatcher => ({ type: 'uri', matches: (san) => san === id, text: id }));
    const at = given.time.startsWith('leaf.not_after')
      ? notAfterWallMs + 1000
      : given.time.startsWith('leaf.not_before')
        ? notBeforeWallMs - 1000
        : notBeforeWallMs + 3_600_000;
    const verdict = spiffeVerdict(
      given.chain ?? derOf(leaf.certificateChainPem),
      parseTrustRoots(trustBundles(bundles)),
      accept ?? [],
      at,
    );
    expect(verdict.ok ? { valid: true, spiffe_id: verdict.peer.spiffeId } : { valid: false }).toEqual(
      expected.valid ? expected : { valid: false },
    );
  });

  const pemCases = present ? (read('x509-pem/index.json') as { files: { file: string; valid: boolean }[] }).files : [];
  test.each(pemCases)('X.509 file $file (valid: $valid)', ({ file, valid }) => {
    const pem = readFileSync(join(folder, 'x509-pem', file), 'utf8');
    let chain: readonly Uint8Array[] = [];
    try {
      chain = derOf(pem);
    } catch {
      // Unreadable certificates present nothing.
    }
    // The roots of these files were not published: a good file must lack nothing but its root, a wrong one must be refused for what it is.
    const inTheirLife = Math.max(0, ...chain.map((der) => Date.parse(new X509Certificate(der).validFrom))) + 60_000;
    const verdict = spiffeVerdict(chain, parseTrustRoots(trustBundles([['example.org', '']])), [], inTheirLife);
    const reason = verdict.ok ? 'accepted' : verdict.reason;
    const missesOnlyTheRoot = reason.endsWith('no root of its trust domain vouches for it');
    expect([file, missesOnlyTheRoot, reason]).toEqual([file, valid, reason]);
  });
});
