// The names under which a service is called from a workload (Istio: generateVirtualHostDomains). Ports are not listed:
// route configurations set ignore_port_in_host_matching.
import type { MeshService } from '../../view/mesh-service.js';

export function virtualHostDomains(service: MeshService, namespace: string, clusterDomain: string): readonly string[] {
  const names = [service.host, `${service.host}.`, ...shortNames(service.host, namespace, clusterDomain)];
  // Each endpoint of a headless service is called by its own name.
  const wildcards = service.headless ? names.map((name) => `*.${name}`) : [];
  const addresses = service.addresses.map((address) => (address.includes(':') ? `[${address}]` : address));
  return [...names, ...wildcards, ...addresses];
}

/** `reviews` from its own namespace, `reviews.default` and `reviews.default.svc` from everywhere. */
function shortNames(host: string, namespace: string, clusterDomain: string): readonly string[] {
  const suffix = `.svc.${clusterDomain}`;
  if (!host.endsWith(suffix)) return [];
  const inMesh = host.slice(0, -suffix.length);
  const [name, owner, ...rest] = inMesh.split('.');
  if (name === undefined || owner === undefined || rest.length > 0) return [];
  return owner === namespace ? [name, `${inMesh}.svc`, inMesh] : [inMesh, `${inMesh}.svc`];
}
