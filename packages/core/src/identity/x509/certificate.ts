// A certificate as its DER says (RFC 5280): names, key usage, constraints. Display strings of Node are never parsed
// (CVE-2021-44532: names could be injected there).
import { X509Certificate } from 'node:crypto';
import { Tag, contextTag, readElements, readInside, readObjectId } from './der.js';
import type { DerElement } from './der.js';
import { ExtensionId, GeneralNameTag, KEY_USAGES } from './extensions.js';
import type { KeyUsage } from './extensions.js';

export interface ParsedCertificate {
  /** For signatures and keys only. */
  readonly x509: X509Certificate;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly emails: readonly string[];
  /** Dotted or colon form. */
  readonly ips: readonly string[];
  readonly ca: boolean;
  /** Intermediates that may follow below; undefined = any number. */
  readonly pathLength: number | undefined;
  /** Undefined when the extension is absent. */
  readonly keyUsages: ReadonlySet<KeyUsage> | undefined;
  /** Object ids; undefined when the extension is absent. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  /** Critical extensions that we do not enforce: the certificate must be refused (RFC 5280 §4.2). */
  readonly unknownCritical: readonly string[];
  readonly notBeforeWallMs: number;
  readonly notAfterWallMs: number;
}

interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Parses one certificate (DER or PEM); undefined when it is malformed, has an extension twice, or a name with bytes outside printable ASCII. */
export function parseCertificate(encoded: Uint8Array | string): ParsedCertificate | undefined {
  try {
    const x509 = new X509Certificate(encoded);
    const extensions = extensionsOf(x509.raw);
    return extensions && parsed(x509, extensions);
  } catch {
    return undefined;
  }
}

function parsed(x509: X509Certificate, extensions: ReadonlyMap<string, Extension>): ParsedCertificate | undefined {
  const names = altNames(extensions.get(ExtensionId.subjectAltName)?.value);
  const constraints = basicConstraints(extensions.get(ExtensionId.basicConstraints)?.value);
  const usages = keyUsages(extensions.get(ExtensionId.keyUsage)?.value);
  const purposes = extendedKeyUsages(extensions.get(ExtensionId.extendedKeyUsage)?.value);
  if (names === 'malformed' || constraints === 'malformed' || usages === 'malformed' || purposes === 'malformed')
    return undefined;
  const enforced = new Set<string>(Object.values(ExtensionId));
  return {
    x509,
    ...names,
    ...constraints,
    keyUsages: usages,
    extendedKeyUsages: purposes,
    unknownCritical: [...extensions].filter(([id, { critical }]) => critical && !enforced.has(id)).map(([id]) => id),
    notBeforeWallMs: Date.parse(x509.validFrom),
    notAfterWallMs: Date.parse(x509.validTo),
  };
}

/** TBSCertificate's extensions by object id. */
function extensionsOf(der: Uint8Array): ReadonlyMap<string, Extension> | undefined {
  const certificate = readInside(readElements(der)?.[0], Tag.sequence);
  const fields = readInside(certificate?.[0], Tag.sequence);
  if (fields === undefined) return undefined;
  const wrapper = fields.find(({ tag }) => tag === contextTag(3, true));
  const found = new Map<string, Extension>();
  if (wrapper === undefined) return found;
  const list = readInside(readElements(wrapper.content)?.[0], Tag.sequence);
  for (const entry of list ?? []) {
    const [id, ...rest] = readInside(entry, Tag.sequence) ?? [];
    const value = rest.at(-1);
    if (id?.tag !== Tag.objectId || value?.tag !== Tag.octetString) return undefined;
    const name = readObjectId(id.content);
    if (found.has(name)) return undefined;
    found.set(name, { critical: rest.length > 1 && rest[0]?.content[0] !== 0, value: value.content });
  }
  return list && found;
}

type AltNames = Pick<ParsedCertificate, 'uris' | 'dnsNames' | 'emails' | 'ips'>;

const printable = /^[\x20-\x7e]+$/;

function altNames(value: Uint8Array | undefined): AltNames | 'malformed' {
  if (value === undefined) return { uris: [], dnsNames: [], emails: [], ips: [] };
  const names = readInside(readElements(value)?.[0], Tag.sequence);
  if (names === undefined) return 'malformed';
  const texts = (tag: number) =>
    names.filter((name) => name.tag === tag).map((name) => Buffer.from(name.content).toString('latin1'));
  const uris = texts(GeneralNameTag.uri);
  const dnsNames = texts(GeneralNameTag.dns);
  const emails = texts(GeneralNameTag.email);
  const ips = names.filter((name) => name.tag === GeneralNameTag.ip).map((name) => ipText(name.content));
  if (![uris, dnsNames, emails, ips].flat().every((text) => printable.test(text))) return 'malformed';
  return { uris, dnsNames, emails, ips };
}

function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  return (Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).map((word) => word.replace(/^0{1,3}/, '')).join(':');
}

type Constraints = Pick<ParsedCertificate, 'ca' | 'pathLength'>;

function basicConstraints(value: Uint8Array | undefined): Constraints | 'malformed' {
  if (value === undefined) return { ca: false, pathLength: undefined };
  const fields = readInside(readElements(value)?.[0], Tag.sequence);
  if (fields === undefined) return 'malformed';
  const flag = fields.find(({ tag }) => tag === Tag.boolean);
  const length = fields.find(({ tag }) => tag === Tag.integer);
  return { ca: flag !== undefined && flag.content[0] !== 0, pathLength: length && smallInteger(length) };
}

function smallInteger({ content }: DerElement): number {
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

function keyUsages(value: Uint8Array | undefined): ReadonlySet<KeyUsage> | undefined | 'malformed' {
  if (value === undefined) return undefined;
  const bits = readElements(value)?.[0];
  if (bits?.tag !== Tag.bitString || bits.content.length === 0) return 'malformed';
  const first = bits.content[1] ?? 0;
  return new Set(KEY_USAGES.filter((_, index) => first & (0x80 >> index)));
}

function extendedKeyUsages(value: Uint8Array | undefined): readonly string[] | undefined | 'malformed' {
  if (value === undefined) return undefined;
  const purposes = readInside(readElements(value)?.[0], Tag.sequence);
  if (purposes === undefined || purposes.some(({ tag }) => tag !== Tag.objectId)) return 'malformed';
  return purposes.map(({ content }) => readObjectId(content));
}
