// What a gRPC handler may believe of its metadata: as for HTTP headers, the mesh's own names come from proven peers only.
import type { Metadata } from '@grpc/grpc-js';
import { forwardedClientCert, isMeshHeader } from '@heddle/core/driver';
import type { InboundConnection } from '@heddle/core/driver';

const CLIENT_CERT = 'x-forwarded-client-cert';

export function cleanMetadata(
  metadata: Metadata,
  { peer }: InboundConnection,
  mode: Parameters<typeof forwardedClientCert>[0],
  localUris: readonly string[],
): void {
  if (peer === undefined)
    for (const name of Object.keys(metadata.getMap())) if (isMeshHeader(name)) metadata.remove(name);
  const incoming = metadata.get(CLIENT_CERT).map(String).join(',');
  const forwarded = peer && {
    sha256: peer.certificateSha256,
    uris: [peer.spiffeId],
    dnsNames: peer.dnsNames,
    subject: peer.subject,
  };
  const value = forwardedClientCert(mode, incoming === '' ? undefined : incoming, forwarded, localUris);
  if (value === undefined) metadata.remove(CLIENT_CERT);
  else metadata.set(CLIENT_CERT, value);
}
