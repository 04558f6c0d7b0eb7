// The one door to @peculiar/x509, which needs reflect-metadata to be loaded before it.
import 'reflect-metadata';

export * as x509 from '@peculiar/x509';

/** ECDSA P-256 with SHA-256, as Web Crypto names it. */
export const ecdsaP256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
