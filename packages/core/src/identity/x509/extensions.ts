// X.509 v3 extensions, as written into certificates and signing requests (RFC 5280 §4.2).
import { isIPv4 } from 'node:net';
import { bitString, boolean, contextTag, element, objectId, octetString, sequence } from './der.js';

export const ExtensionId = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** Bits of the key usage, most significant first (RFC 5280 §4.2.1.3). */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** Purposes by name (RFC 5280 §4.2.1.12). */
export const EXTENDED_KEY_USAGES = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
} as const;
export type ExtendedKeyUsage = keyof typeof EXTENDED_KEY_USAGES;

/** Tags of GeneralName (RFC 5280 §4.2.1.6), all implicit and primitive. */
export const GeneralNameTag = {
  email: contextTag(1, false),
  dns: contextTag(2, false),
  uri: contextTag(6, false),
  ip: contextTag(7, false),
} as const;

export interface AltNames {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly emails?: readonly string[];
  /** IPv4 only. */
  readonly ips?: readonly string[];
}

export function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** The subjectAltName extension. Critical when the subject is empty (RFC 5280 §4.2.1.6). */
export function subjectAltName(names: AltNames, critical: boolean): Buffer {
  const text = (tag: number) => (value: string) => element(tag, Buffer.from(value, 'latin1'));
  const general = [
    ...(names.dnsNames ?? []).map(text(GeneralNameTag.dns)),
    ...(names.uris ?? []).map(text(GeneralNameTag.uri)),
    ...(names.emails ?? []).map(text(GeneralNameTag.email)),
    ...(names.ips ?? []).filter(isIPv4).map((ip) => element(GeneralNameTag.ip, Buffer.from(ip.split('.').map(Number)))),
  ];
  return extension(ExtensionId.subjectAltName, critical, sequence(...general));
}

export function keyUsage(usages: readonly KeyUsage[]): Buffer {
  let bits = 0;
  for (const usage of usages) bits |= 0x80 >> KEY_USAGES.indexOf(usage);
  // A named bit list carries no trailing zero bits (X.690 §11.2.2).
  let unused = 0;
  while (bits !== 0 && unused < 7 && !(bits & (1 << unused))) unused++;
  return extension(
    ExtensionId.keyUsage,
    true,
    bits === 0 ? bitString(Buffer.of()) : bitString(Buffer.of(bits), unused),
  );
}

export function extendedKeyUsage(usages: readonly ExtendedKeyUsage[]): Buffer {
  return extension(
    ExtensionId.extendedKeyUsage,
    false,
    sequence(...usages.map((usage) => objectId(EXTENDED_KEY_USAGES[usage]))),
  );
}

export function basicConstraints(ca: boolean): Buffer {
  return extension(ExtensionId.basicConstraints, true, ca ? sequence(boolean(true)) : sequence());
}

export function subjectKeyIdentifier(id: Uint8Array): Buffer {
  return extension(ExtensionId.subjectKeyIdentifier, false, octetString(id));
}

export function authorityKeyIdentifier(id: Uint8Array): Buffer {
  return extension(ExtensionId.authorityKeyIdentifier, false, sequence(element(contextTag(0, false), id)));
}
