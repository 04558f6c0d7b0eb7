// One accepted connection: its facts, its peer, the chain that takes it, and the requests in flight on it.
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { DownstreamSecurity } from '../identity/connection-security.js';
import type { PeerIdentity } from '../identity/identity-provider.js';
import type { ConnectionRequest } from '../filters/network-filter.js';
import type { ClusterSnapshot } from '../snapshot/cluster-snapshot.js';
import type {
  ConnectionFacts,
  DownstreamTls,
  FilterChainSnapshot,
  InboundRoute,
} from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { type Admission, admission } from './admission.js';
import { type ForwardMode, type ForwardedPeer, forwardedClientCert } from './http/forwarded-client-cert.js';

export class InboundConnection {
  /** Bytes read and written before the current request; what was moved since belongs to it. */
  bytesReadMark = 0;
  bytesWrittenMark = 0;
  /** Requests that have begun and not ended. */
  requestsInFlight = 0;
  /** True once policy forbids it: no new request is served. */
  revoked = false;
  /** True while its server drains: the next response that ends is its last. */
  closing = false;
  /** The last Host header and its checked, normal form: most callers send one host on a connection. */
  lastHost = '';
  lastAuthority: string | undefined = undefined;
  /** What the cluster of this port is called where no route names one. */
  readonly defaultCluster: string;
  #snapshot: Snapshot | undefined;
  #admission: Admission | undefined;
  #route: InboundRoute | undefined = undefined;
  #service: ClusterSnapshot['service'] = undefined;
  #cert:
    | { readonly mode: ForwardMode; readonly localId: string | undefined; readonly value: string | undefined }
    | undefined = undefined;

  constructor(
    readonly facts: ConnectionFacts,
    /** The socket that carries requests: the TLS socket where there is TLS. */
    readonly socket: Socket,
    /** Verified once, after the handshake. */
    readonly peer: PeerIdentity | undefined,
    /** The TLS policy under which the peer was verified; undefined for plain text. */
    readonly tls?: DownstreamTls,
    /** Generation of the identity (certificate and trust bundles) under which it was verified. */
    private verifiedGeneration = 0,
  ) {
    this.defaultCluster = `inbound|${facts.destinationPort}||`;
  }

  /** The admission under a snapshot, looked up once per snapshot. */
  admission(snapshot: Snapshot, awaitsFeed: boolean): Admission {
    if (this.#snapshot !== snapshot || this.#admission === undefined) {
      this.#snapshot = snapshot;
      this.#route = undefined;
      this.#admission = admission(snapshot, this.facts, awaitsFeed);
    }
    return this.#admission;
  }

  /** The service that a route's cluster stands for, looked up once while requests take the same route. Call `admission` with the snapshot first. */
  serviceOf(route: InboundRoute): ClusterSnapshot['service'] {
    if (this.#route === route) return this.#service;
    this.#route = route;
    this.#service = route.cluster === undefined ? undefined : this.#snapshot?.cluster(route.cluster)?.service;
    return this.#service;
  }

  /** What x-forwarded-client-cert tells of the peer; undefined without one. */
  get forwardedPeer(): ForwardedPeer | undefined {
    const { peer } = this;
    if (peer === undefined) return undefined;
    const { certificateSha256: sha256, dnsNames, subject } = peer;
    return { sha256, uris: [peer.spiffeId], dnsNames, subject };
  }

  /** x-forwarded-client-cert of a request that brought none; made once per connection and own identity. */
  forwardedCert(mode: ForwardMode, localId: string | undefined): string | undefined {
    if (this.#cert?.mode !== mode || this.#cert.localId !== localId) {
      const value = forwardedClientCert(mode, undefined, this.forwardedPeer, localId === undefined ? [] : [localId]);
      this.#cert = { mode, localId, value };
    }
    return this.#cert.value;
  }

  /**
   * Why the peer is no longer to be believed; undefined while it is. After a change of certificates or bundles it is verified once more, when it next
   * asks for something: a root that was taken out ends the connections that it vouched for.
   */
  distrust(security: DownstreamSecurity): string | undefined {
    if (!(this.socket instanceof TLSSocket) || this.tls === undefined || this.peer === undefined) return undefined;
    const { generation } = security;
    if (generation === this.verifiedGeneration) return undefined;
    const verdict = security.verifyClient(this.socket, this.tls);
    if (!verdict.ok) return verdict.reason;
    this.verifiedGeneration = generation;
    return undefined;
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
