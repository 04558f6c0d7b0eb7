// The name that istiod proves by its certificate, where it is dialled by an address: no certificate of istiod bears 127.0.0.1.
import { isIP } from 'node:net';
import type { MeshSettings } from './mesh-settings.js';

/** Istio's own rule for a port-forward (citadel client: "for debugging on localhost"); the certificate is still of the given root. */
const ISTIOD = 'istiod.istio-system.svc';

/** Undefined: the certificate must bear the host of `address` (`host:port`). */
export function controlPlaneName(settings: MeshSettings, address: string): string | undefined {
  if (settings.identity !== 'istio-ca') return undefined;
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(host) !== 0 || host === 'localhost' ? ISTIOD : undefined;
}
