// What an application may believe of its request headers: the mesh's own headers from proven peers only, x-forwarded-for, x-forwarded-proto and
// x-forwarded-client-cert as the connection manager says.
import type { IncomingMessage } from 'node:http';
import type { InboundHttp } from '../../snapshot/inbound-snapshot.js';
import type { InboundConnection } from '../inbound-connection.js';
import { type ForwardMode, forwardedClientCert } from './forwarded-client-cert.js';
import { FOUND, isMeshHeader } from './header-scan.js';
import { SIDECAR_ADDRESSES, appendedForwardedFor, clientAddress } from './remote-address.js';
import { addHeader, readHeader, removeHeaders, setHeader } from './request-headers.js';

const CLIENT_CERT = 'x-forwarded-client-cert';
const FORWARDED_FOR = 'x-forwarded-for';
const FORWARDED_PROTO = 'x-forwarded-proto';

/** Cleans the headers in place. `found` is the scan of them. Returns the client's address after trusted hops. */
export function cleanHeaders(
  request: IncomingMessage,
  found: number,
  connection: InboundConnection,
  http: Pick<InboundHttp, 'forwardClientCert' | 'remoteAddress'>,
  localSpiffeId: string | undefined,
): string {
  if (connection.peer === undefined && (found & FOUND.mesh) !== 0) removeHeaders(request, isMeshHeader);
  if (connection.peer !== undefined || (found & FOUND.clientCert) !== 0)
    forwardClientCert(request, (found & FOUND.clientCert) !== 0, connection, http.forwardClientCert, localSpiffeId);
  forwardProto(request, found, connection, http);
  return forwardFor(request, (found & FOUND.forwardedFor) !== 0, connection, http);
}

function forwardFor(
  request: IncomingMessage,
  came: boolean,
  { peer, facts }: InboundConnection,
  { remoteAddress: rules = SIDECAR_ADDRESSES }: Pick<InboundHttp, 'remoteAddress'>,
): string {
  if (!came && rules.skipAppend) return facts.sourceIp;
  const header = came ? readHeader(request, FORWARDED_FOR) : undefined;
  // Stricter than Envoy: where no hop is configured as trusted, only a proven peer's word counts, since any pod can write the header.
  const believed = peer !== undefined || rules.useRemoteAddress || rules.trustedHops > 0;
  const client = believed ? clientAddress(rules, header, facts.sourceIp) : facts.sourceIp;
  const appended = appendedForwardedFor(rules, header, facts.sourceIp, facts.destinationIp);
  if (appended !== undefined) {
    if (came) setHeader(request, FORWARDED_FOR, appended);
    else addHeader(request, FORWARDED_FOR, appended);
  }
  return client;
}

/** Envoy: set where it is missing; what came is overwritten at an edge without trusted proxies. */
function forwardProto(
  request: IncomingMessage,
  found: number,
  { facts }: InboundConnection,
  { remoteAddress: rules = SIDECAR_ADDRESSES }: Pick<InboundHttp, 'remoteAddress'>,
): void {
  const scheme = facts.transport === 'tls' ? 'https' : 'http';
  if ((found & FOUND.forwardedProto) === 0) addHeader(request, FORWARDED_PROTO, scheme);
  else if (rules.useRemoteAddress && rules.trustedHops === 0) setHeader(request, FORWARDED_PROTO, scheme);
}

function forwardClientCert(
  request: IncomingMessage,
  came: boolean,
  connection: InboundConnection,
  mode: ForwardMode,
  localSpiffeId: string | undefined,
): void {
  if (!came) {
    const value = connection.forwardedCert(mode, localSpiffeId);
    if (value !== undefined) addHeader(request, CLIENT_CERT, value);
    return;
  }
  const incoming = readHeader(request, CLIENT_CERT);
  const uris = localSpiffeId === undefined ? [] : [localSpiffeId];
  const value = forwardedClientCert(mode, incoming, connection.forwardedPeer, uris);
  if (value === incoming) return;
  if (value === undefined) removeHeaders(request, (name) => name === CLIENT_CERT);
  else setHeader(request, CLIENT_CERT, value);
}
