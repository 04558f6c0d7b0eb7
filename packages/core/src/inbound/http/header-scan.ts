// One pass over the header names of a request: which of the few that the mesh treats are there. Most requests have none of them but Host, and names
// that begin otherwise are not even lower-cased.

/** Bits of the answer. */
export const FOUND = {
  host: 1,
  secondHost: 2,
  /** `x-envoy-…` or `x-heddle-…`. */
  mesh: 4,
  forwardedFor: 8,
  forwardedProto: 16,
  clientCert: 32,
  peerMetadata: 64,
} as const;

export function scanHeaders(rawHeaders: readonly string[]): number {
  let found = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const first = name.charCodeAt(0) | 0x20;
    if (first === 0x78) found |= treatment(name.toLowerCase());
    else if (first === 0x68 && name.length === 4 && name.toLowerCase() === 'host')
      found |= (found & FOUND.host) === 0 ? FOUND.host : FOUND.secondHost;
  }
  return found;
}

/** Headers that steer or describe the mesh; a caller without a proven identity must not set them (CVE-2024-45806: an address proves nothing). */
export function isMeshHeader(name: string): boolean {
  return name.startsWith('x-envoy-') || name.startsWith('x-heddle-');
}

function treatment(name: string): number {
  switch (name) {
    case 'x-forwarded-for':
      return FOUND.forwardedFor;
    case 'x-forwarded-proto':
      return FOUND.forwardedProto;
    case 'x-forwarded-client-cert':
      return FOUND.clientCert;
    case 'x-envoy-peer-metadata':
    case 'x-envoy-peer-metadata-id':
      return FOUND.mesh | FOUND.peerMetadata;
    default:
      return isMeshHeader(name) ? FOUND.mesh : 0;
  }
}
