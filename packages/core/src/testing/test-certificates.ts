// Certificate authorities and SPIFFE certificates made inside a test, right or wrong in any way that a test needs. ECDSA P-256.
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  bitString,
  contextTag,
  element,
  integer,
  objectId,
  sequence,
  set,
  time,
  utf8String,
} from '../identity/x509/der.js';
import * as extensions from '../identity/x509/extensions.js';
import type { AltNames, ExtendedKeyUsage, KeyUsage } from '../identity/x509/extensions.js';
import { encodePem } from '../identity/x509/pem.js';

export interface IssueOptions extends AltNames {
  /** Shorthand for `uris: [spiffeId]`. */
  readonly spiffeId?: string;
  /** Wall-clock milliseconds. Default: an hour ago by the system's clock. */
  readonly notBeforeWallMs?: number;
  /** Default: 24 h from now by the system's clock. */
  readonly notAfterWallMs?: number;
  readonly commonName?: string;
  readonly ca?: boolean;
  /** Default `digitalSignature`, for a CA `keyCertSign` and `cRLSign`; `undefined` given explicitly leaves the extension out. */
  readonly keyUsages?: readonly KeyUsage[] | undefined;
  /** Default serverAuth and clientAuth; `undefined` given explicitly leaves the extension out. */
  readonly extendedKeyUsages?: readonly ExtendedKeyUsage[] | undefined;
  /** Key of the subject, PKCS#8 PEM. Default: a new one. */
  readonly privateKeyPem?: string;
}

export interface TestCertificate {
  /** Leaf first, then intermediates; the root is not part of it. */
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
}

export interface TestAuthority {
  readonly trustDomain: string;
  readonly rootPem: string;
  issue(options: IssueOptions): TestCertificate;
  /** An issuer below this one; `options` can make it a broken one (`ca: false`, other key usages). */
  intermediate(options?: IssueOptions): TestAuthority;
}

const wideValidity = { notBeforeWallMs: Date.UTC(2000, 0, 1), notAfterWallMs: Date.UTC(2049, 0, 1) };

/** A self-signed root of a trust domain, valid from 2000 to 2049. Each call makes another key. */
export function testAuthority(trustDomain: string): TestAuthority {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const name = `Root of ${trustDomain} ${randomBytes(4).toString('hex')}`;
  const options = { ca: true, commonName: name, uris: [`spiffe://${trustDomain}`], ...wideValidity };
  const der = certificate(options, createPublicKey(key), { name, key });
  return authority(trustDomain, encodePem('CERTIFICATE', der), { name, key }, '');
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

function authority(trustDomain: string, rootPem: string, issuer: Issuer, intermediatesPem: string): TestAuthority {
  return {
    trustDomain,
    rootPem,
    issue(options) {
      const keyPem = options.privateKeyPem ?? pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
      const leaf = certificate(options, createPublicKey(keyPem), issuer);
      return { certificateChainPem: encodePem('CERTIFICATE', leaf) + intermediatesPem, privateKeyPem: keyPem };
    },
    intermediate(options = {}) {
      const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      const name = `Intermediate of ${trustDomain} ${randomBytes(4).toString('hex')}`;
      const shape: IssueOptions = { ca: true, commonName: name, ...wideValidity, ...options };
      const pem = encodePem('CERTIFICATE', certificate(shape, createPublicKey(key), issuer));
      return authority(trustDomain, rootPem, { name: shape.commonName ?? name, key }, pem + intermediatesPem);
    },
  };
}

function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const signatureAlgorithm = sequence(objectId('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256

/** RFC 5280 §4.1. */
function certificate(options: IssueOptions, publicKey: KeyObject, issuer: Issuer): Buffer {
  const toBeSigned = sequence(
    element(contextTag(0, true), integer(Buffer.of(2))), // v3
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    signatureAlgorithm,
    distinguishedName(issuer.name),
    sequence(
      time(options.notBeforeWallMs ?? Date.now() - 3_600_000),
      time(options.notAfterWallMs ?? Date.now() + 86_400_000),
    ),
    distinguishedName(options.commonName ?? ''),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(contextTag(3, true), sequence(...extensionsOf(options, publicKey, issuer))),
  );
  return sequence(toBeSigned, signatureAlgorithm, bitString(sign('sha256', toBeSigned, issuer.key)));
}

function extensionsOf(options: IssueOptions, publicKey: KeyObject, issuer: Issuer): Buffer[] {
  const ca = options.ca ?? false;
  const usages =
    'keyUsages' in options
      ? options.keyUsages
      : ca
        ? (['keyCertSign', 'cRLSign'] as const)
        : (['digitalSignature'] as const);
  const purposes = 'extendedKeyUsages' in options ? options.extendedKeyUsages : (['serverAuth', 'clientAuth'] as const);
  const uris = [...(options.spiffeId === undefined ? [] : [options.spiffeId]), ...(options.uris ?? [])];
  const hasNames = [uris, options.dnsNames, options.emails, options.ips].some((names) => (names?.length ?? 0) > 0);
  return [
    extensions.basicConstraints(ca),
    ...(usages === undefined ? [] : [extensions.keyUsage(usages)]),
    ...(ca || purposes === undefined ? [] : [extensions.extendedKeyUsage(purposes)]),
    ...(hasNames ? [extensions.subjectAltName({ ...options, uris }, options.commonName === undefined)] : []),
    extensions.subjectKeyIdentifier(keyIdentifier(publicKey)),
    extensions.authorityKeyIdentifier(keyIdentifier(createPublicKey(issuer.key))),
  ];
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function distinguishedName(commonName: string): Buffer {
  if (commonName === '') return sequence();
  return sequence(set(sequence(objectId('2.5.4.3'), utf8String(commonName))));
}
