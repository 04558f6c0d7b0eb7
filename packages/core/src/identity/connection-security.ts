// What the two edges need from TLS: outbound connection options, inbound server contexts, and the check after every handshake.
import type { ConnectionOptions, SecureContextOptions, TLSSocket } from 'node:tls';
import type { UpstreamTls } from '../snapshot/cluster-snapshot.js';
import type { DownstreamTls } from '../snapshot/inbound-snapshot.js';
import type { PeerVerdict } from './identity-provider.js';

/** Used by transport (undici pools) and by the gRPC adapter. */
export interface UpstreamSecurity {
  /**
   * Options for tls.connect: SecureContext of the current SVID and bundles (memoised per tls.key and generation), servername, ALPN, versions.
   * Throws MeshError IDENTITY_UNAVAILABLE when the policy needs a certificate and there is none.
   */
  connectOptions(tls: UpstreamTls): ConnectionOptions;
  /** Must be called on `secureConnect` of every connection, resumed or not; a rejection destroys the socket. */
  verifyServer(socket: TLSSocket, tls: UpstreamTls): PeerVerdict;
  /** Grows with every rotation or bundle change: pools made under an older generation drain. */
  readonly generation: number;
}

/** Used by the inbound server. */
export interface DownstreamSecurity {
  /** Key, chain and roots for tls.createServer / setSecureContext, memoised per tls.key and generation. Throws MeshError IDENTITY_UNAVAILABLE. */
  serverOptions(tls: DownstreamTls): SecureContextOptions;
  /** Must be called on `secureConnection` of every connection. Without a client certificate: `{ ok: false }` when one is required. */
  verifyClient(socket: TLSSocket, tls: DownstreamTls): PeerVerdict;
  readonly generation: number;
  /** Calls back after every change of certificate or bundles; returns the unsubscribe function. */
  onChange(listener: () => void): () => void;
}
