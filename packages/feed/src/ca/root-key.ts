// The root of a dev CA: its certificate and key, in memory or in one file that only its owner can read.
import { randomBytes, webcrypto } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ecdsaP256, x509 } from './x509.js';

export interface RootKey {
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

const rootLifeMs = 10 * 365 * 86_400_000;
/** Certificate and key in one file, so that they can't part. */
export const ROOT_FILE = 'dev-ca.pem';

/**
 * The root kept in `directory`, made there on first use; without a directory a new one in memory. Throws when the file belongs to another
 * trust domain, has ended, or can be read by others than its owner.
 */
export async function openRootKey(
  directory: string | undefined,
  trustDomain: string,
  nowWallMs: number,
): Promise<RootKey> {
  if (directory === undefined) return (await newRoot(trustDomain, nowWallMs)).root;
  const path = join(directory, ROOT_FILE);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const kept = await readRoot(path, trustDomain, nowWallMs);
  if (kept !== undefined) return kept;
  const { root, pem } = await newRoot(trustDomain, nowWallMs);
  return (await writeFirst(path, pem)) ? root : ((await readRoot(path, trustDomain, nowWallMs)) ?? root);
}

async function newRoot(trustDomain: string, nowWallMs: number): Promise<{ root: RootKey; pem: string }> {
  const keys = await webcrypto.subtle.generateKey(ecdsaP256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Heddle development CA of ${trustDomain}`,
    keys,
    signingAlgorithm: ecdsaP256,
    serialNumber: serialNumber(),
    notBefore: new Date(nowWallMs - 60_000),
    notAfter: new Date(nowWallMs + rootLifeMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const pem = `${certificate.toString('pem')}\n${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
  return { root: { certificate, privateKey: keys.privateKey }, pem };
}

/** Whole or not at all, and never over a file that another process made in the meantime. */
async function writeFirst(path: string, pem: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, pem, { mode: 0o600, flag: 'wx' });
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function readRoot(path: string, trustDomain: string, nowWallMs: number): Promise<RootKey | undefined> {
  const found = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (found.mode & 0o077) throw new Error(`${path}: the CA's key can be read by others; expected mode 0600`);
  const [certificatePart, keyPart] = x509.PemConverter.decode(await readFile(path, 'utf8'));
  if (certificatePart === undefined || keyPart === undefined)
    throw new Error(`${path}: expected a certificate and a private key`);
  const certificate = new x509.X509Certificate(certificatePart);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  if (!names.some(({ value }) => value === `spiffe://${trustDomain}`))
    throw new Error(`${path}: the root is of another trust domain than ${trustDomain}`);
  if (certificate.notAfter.getTime() <= nowWallMs)
    throw new Error(`${path}: the root has expired; remove the file to make a new one`);
  const privateKey = await webcrypto.subtle.importKey('pkcs8', keyPart, ecdsaP256, false, ['sign']);
  return { certificate, privateKey };
}

/** 16 random bytes, positive (RFC 5280 §4.1.2.2). */
export function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
