// One accepted connection: its facts, its peer, the chain that takes it, and the requests in flight on it.
import type { Socket } from 'node:net';
import type { PeerIdentity } from '../identity/identity-provider.js';
import type { ConnectionRequest } from '../filters/network-filter.js';
import type { ConnectionFacts, FilterChainSnapshot } from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { type Admission, admission } from './admission.js';

export class InboundConnection {
  /** Bytes read before the current request; what was read since belongs to it. */
  bytesReadMark = 0;
  /** Requests that have begun and not ended. */
  requestsInFlight = 0;
  /** True once policy forbids it: no new request is served. */
  revoked = false;
  #snapshot: Snapshot | undefined;
  #admission: Admission | undefined;

  constructor(
    readonly facts: ConnectionFacts,
    /** The socket that carries requests: the TLS socket where there is TLS. */
    readonly socket: Socket,
    /** Verified once, after the handshake. */
    readonly peer: PeerIdentity | undefined,
    /** Key of the TLS context under which the peer was verified; undefined for plain text. */
    readonly tlsKey: string | undefined,
  ) {}

  /** The admission under a snapshot, looked up once per snapshot. */
  admission(snapshot: Snapshot, awaitsFeed: boolean): Admission {
    if (this.#snapshot !== snapshot || this.#admission === undefined) {
      this.#snapshot = snapshot;
      this.#admission = admission(snapshot, this.facts, awaitsFeed);
    }
    return this.#admission;
  }
}

/** The name of the first network filter's refusal; undefined when all let the connection in. */
export function networkRefusal(
  chain: FilterChainSnapshot,
  facts: ConnectionFacts,
  peer: PeerIdentity | undefined,
): string | undefined {
  if (chain.networkFilters.length === 0) return undefined;
  const request: ConnectionRequest = {
    peerPrincipal: peer?.spiffeId,
    sourceIp: facts.sourceIp,
    sourcePort: facts.sourcePort,
    destinationIp: facts.destinationIp,
    destinationPort: facts.destinationPort,
    serverName: facts.serverName,
  };
  for (const filter of chain.networkFilters) {
    const { allow, details } = filter.decide(request);
    if (!allow) return details;
  }
  return undefined;
}

/** Facts of a socket; undefined when it is gone already. `serverName` and protocols come from the ClientHello or the first bytes. */
export function factsOf(
  socket: Socket,
  transport: ConnectionFacts['transport'],
  serverName: string,
  applicationProtocols: readonly string[],
): ConnectionFacts | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || localPort === undefined) return undefined;
  return {
    destinationPort: localPort,
    destinationIp: plainIp(localAddress ?? ''),
    sourceIp: plainIp(remoteAddress),
    sourcePort: remotePort ?? 0,
    transport,
    serverName,
    applicationProtocols,
  };
}

/** A dual-stack socket reports IPv4 peers as `::ffff:10.0.0.1`. */
function plainIp(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
