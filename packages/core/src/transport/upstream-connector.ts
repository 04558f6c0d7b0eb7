// What the outbound driver needs from TLS: connection options for an endpoint, and the check after every handshake.
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { PeerVerdict } from '../identity/identity-provider.js';
import type { UpstreamTls } from '../snapshot/cluster-snapshot.js';

/** Made by the identity room (identity/tls-contexts.ts), used by transport and by the gRPC adapter. */
export interface UpstreamSecurity {
  /**
   * Options for tls.connect: SecureContext of the current SVID and bundles (memoised per tls.key and identity generation), servername, ALPN, versions.
   * Throws MeshError IDENTITY_UNAVAILABLE when the policy needs a certificate and there is none.
   */
  connectOptions(tls: UpstreamTls): ConnectionOptions;
  /** Must be called on `secureConnect` of every connection, resumed or not; a rejection destroys the socket. */
  verifyPeer(socket: TLSSocket, tls: UpstreamTls): PeerVerdict;
  /** Grows with every rotation or bundle change: pools made under an older generation drain. */
  readonly generation: number;
}
