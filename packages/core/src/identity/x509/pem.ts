// PEM armour around DER (RFC 7468).

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST';

export function encodePem(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM file, one string each, in order; text between them is ignored. */
export function splitCertificates(pem: string): readonly string[] {
  return (pem.match(certificateBlock) ?? []).map((block) => `${block}\n`);
}
