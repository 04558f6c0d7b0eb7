// The dev CA's public names.
export { createDevCa } from './dev-ca.js';
export type { DevCa, DevCaOptions } from './dev-ca.js';
export type { CallerClaims } from './caller-claims.js';
export type { GrpcService } from './certificate-service.js';
export { SigningRefused } from './signing-refused.js';
