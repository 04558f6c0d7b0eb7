// PKCS#10 certificate signing requests (RFC 2986) for a SPIFFE identity, with a fresh ECDSA P-256 key.
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { bitString, contextTag, element, integer, objectId, sequence, set } from './der.js';
import { subjectAltName } from './extensions.js';
import { encodePem } from './pem.js';

const extensionRequest = '1.2.840.113549.1.9.14';
const ecdsaWithSha256 = '1.2.840.10045.4.3.2';

export interface SigningRequest {
  readonly csrPem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
}

/** A new key pair and the request for a certificate whose only name is `spiffeId`, as Istio's agent asks for one. */
export function createSigningRequest(spiffeId: string): SigningRequest {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    csrPem: signingRequest(spiffeId, privateKey),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** The request alone, for a given P-256 key. */
export function signingRequest(spiffeId: string, privateKey: KeyObject): string {
  const extensions = sequence(subjectAltName({ uris: [spiffeId] }, true));
  const info = sequence(
    integer(Buffer.of(0)),
    sequence(), // no subject: the SAN is the name
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    element(contextTag(0, true), sequence(objectId(extensionRequest), set(extensions))),
  );
  const signature = bitString(sign('sha256', info, privateKey));
  return encodePem('CERTIFICATE REQUEST', sequence(info, sequence(objectId(ecdsaWithSha256)), signature));
}
