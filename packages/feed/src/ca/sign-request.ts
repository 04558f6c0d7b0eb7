// From a signing request to a certificate: proof of possession, the one name that the caller may have, the lifetime that the CA allows.
import type { CallerClaims } from './caller-claims.js';
import { serialNumber } from './root-key.js';
import type { RootKey } from './root-key.js';
import { SigningRefused } from './signing-refused.js';
import { ecdsaP256, x509 } from './x509.js';

export interface SigningPolicy {
  readonly root: RootKey;
  readonly trustDomain: string;
  readonly lifetimeMs: number;
  readonly nowWallMs: number;
}

/** Longest request that is parsed. */
const maxRequestCharacters = 16_384;
const subjectAltName = '2.5.29.17';
/** Clocks of callers may be behind ours. */
const maxBackdateMs = 60_000;

/** The chain, leaf first and root last, PEM. Throws SigningRefused. */
export async function signRequest(
  csrPem: string,
  claims: CallerClaims,
  policy: SigningPolicy,
): Promise<readonly string[]> {
  const request = await provenRequest(csrPem);
  const spiffeId = `spiffe://${policy.trustDomain}/ns/${claims.namespace}/sa/${claims.serviceAccount}`;
  const asked = onlyName(request);
  if (asked !== spiffeId)
    throw new SigningRefused(
      'PERMISSION_DENIED',
      `the request is for ${asked}, the token of the caller is for ${spiffeId}`,
    );
  const { root, nowWallMs, lifetimeMs } = policy;
  const leaf = await x509.X509CertificateGenerator.create({
    issuer: root.certificate.subject,
    publicKey: request.publicKey,
    signingKey: root.privateKey,
    signingAlgorithm: ecdsaP256,
    serialNumber: serialNumber(),
    notBefore: new Date(nowWallMs - Math.min(maxBackdateMs, lifetimeMs / 10)),
    notAfter: new Date(Math.min(nowWallMs + lifetimeMs, root.certificate.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }], true),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.certificate.publicKey),
    ],
  });
  return [`${leaf.toString('pem')}\n`, `${root.certificate.toString('pem')}\n`];
}

/** A request whose signature its own key made, and whose key is strong enough. */
async function provenRequest(csrPem: string): Promise<x509.Pkcs10CertificateRequest> {
  if (csrPem.length > maxRequestCharacters)
    throw new SigningRefused('INVALID_ARGUMENT', 'the signing request is too long');
  const request = parseRequest(csrPem);
  const algorithm = request.publicKey.algorithm as object;
  const strong =
    ('namedCurve' in algorithm && ['P-256', 'P-384', 'P-521'].includes(String(algorithm.namedCurve))) ||
    ('modulusLength' in algorithm && Number(algorithm.modulusLength) >= 2048);
  if (!strong) throw new SigningRefused('INVALID_ARGUMENT', 'expected an ECDSA key or an RSA key of 2048 bits or more');
  if (!(await request.verify().catch(() => false)))
    throw new SigningRefused('INVALID_ARGUMENT', 'the signature of the signing request is not by its own key');
  return request;
}

function parseRequest(csrPem: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(csrPem);
  } catch {
    throw new SigningRefused('INVALID_ARGUMENT', 'expected a PKCS#10 signing request in PEM');
  }
}

/** Exactly one URI and no name of another type: nothing else could be vouched for. */
function onlyName(request: x509.Pkcs10CertificateRequest): string {
  const extension = request.getExtension(subjectAltName);
  const names = extension ? new x509.SubjectAlternativeNameExtension(extension.rawData).names.toJSON() : [];
  const [name] = names;
  if (names.length !== 1 || name?.type !== 'url')
    throw new SigningRefused('INVALID_ARGUMENT', 'expected exactly one subject alternative name, the SPIFFE id');
  return name.value;
}
