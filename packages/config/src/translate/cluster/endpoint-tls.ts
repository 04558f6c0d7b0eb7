// Whether an endpoint is spoken to in mutual TLS. A label decides; without an injector to write labels, STRICT policy does
// (docs/adr/0005-endpoint-tls-mode-without-an-injector.md).
import type { MeshEndpoint } from '../../view/endpoints.js';
import type { MeshView } from '../../view/mesh-view.js';
import { mtlsOf, mtlsOfPort } from '../../view/peer-authentication.js';
import type { ClientTlsSpec } from '../../view/spec/istio.js';

export function speaksMutualTls(view: MeshView, endpoint: MeshEndpoint, clientTls: ClientTlsSpec | undefined): boolean {
  const { instance } = endpoint;
  if (clientTls?.mode !== undefined && clientTls.mode !== 'ISTIO_MUTUAL') return false;
  if (instance.statedTls === 'plain') return false;
  const mode = mtlsOfPort(mtlsOf(view.peerAuthentications, instance, view.settings.rootNamespace), endpoint.port);
  return instance.statedTls === 'istio' ? mode !== 'DISABLE' : mode === 'STRICT';
}
