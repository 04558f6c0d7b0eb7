// What an application may believe of its request headers: the mesh's own headers from proven peers only, x-forwarded-for and
// x-forwarded-client-cert as the connection manager says.
import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { PeerIdentity } from '../../identity/identity-provider.js';
import type { InboundConnection } from '../inbound-connection.js';
import { type ForwardMode, forwardedClientCert } from './forwarded-client-cert.js';
import { addHeader, readHeader, removeHeaders, setHeader } from './request-headers.js';

const CLIENT_CERT = 'x-forwarded-client-cert';
const FORWARDED_FOR = 'x-forwarded-for';

/** Headers that steer or describe the mesh; a caller without a proven identity must not set them (CVE-2024-45806: an address proves nothing). */
export function isMeshHeader(name: string): boolean {
  return name.startsWith('x-envoy-') || name.startsWith('x-heddle-');
}

/** Most requests have none, so names that don't begin with `x` are not even lower-cased. */
function hasMeshHeader(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if ((name.charCodeAt(0) | 0x20) === 0x78 && isMeshHeader(name.toLowerCase())) return true;
  }
  return false;
}

/** Cleans the headers in place. Returns the client's address after trusted hops. */
export function cleanHeaders(
  request: IncomingMessage,
  connection: InboundConnection,
  mode: ForwardMode,
  localSpiffeId: string | undefined,
): string {
  const { peer, facts } = connection;
  if (peer === undefined && hasMeshHeader(request.rawHeaders)) removeHeaders(request, isMeshHeader);
  forwardClientCert(request, peer, mode, localSpiffeId);
  const cameFrom = readHeader(request, FORWARDED_FOR);
  const client = peer === undefined ? facts.sourceIp : (lastAddress(cameFrom) ?? facts.sourceIp);
  // Envoy: the header grows by the address of the connection's peer.
  if (cameFrom === undefined) addHeader(request, FORWARDED_FOR, facts.sourceIp);
  else setHeader(request, FORWARDED_FOR, cameFrom === '' ? facts.sourceIp : `${cameFrom},${facts.sourceIp}`);
  return client;
}

function forwardClientCert(
  request: IncomingMessage,
  peer: PeerIdentity | undefined,
  mode: ForwardMode,
  localSpiffeId: string | undefined,
): void {
  const incoming = readHeader(request, CLIENT_CERT);
  if (incoming === undefined && peer === undefined) return;
  const forwarded = peer && {
    sha256: peer.certificateSha256,
    uris: [peer.spiffeId],
    dnsNames: peer.dnsNames,
    subject: peer.subject,
  };
  const value = forwardedClientCert(mode, incoming, forwarded, localSpiffeId === undefined ? [] : [localSpiffeId]);
  if (value === incoming) return;
  if (value === undefined) removeHeaders(request, (name) => name === CLIENT_CERT);
  else setHeader(request, CLIENT_CERT, value);
}

/** The right-most address of x-forwarded-for, which a proven peer has vouched for (Envoy: use_remote_address false, no trusted hops). */
function lastAddress(header: string | undefined): string | undefined {
  const last = header?.slice(header.lastIndexOf(',') + 1).trim();
  return last !== undefined && isIP(last) !== 0 ? last : undefined;
}
