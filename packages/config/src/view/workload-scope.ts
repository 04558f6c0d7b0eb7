// What a workload may see: its Sidecar's egress hosts over the services and virtual services exported to its namespace.
import type { ConfigObject } from '../model/config-object.js';
import type { Workload } from '../model/workload.js';
import { exportedTo } from './destination-rules.js';
import { hostCovers, hostsOverlap, resolveHost } from './host-names.js';
import type { SidecarSpec, VirtualServiceSpec } from './spec/istio.js';
import type { MeshService } from './mesh-service.js';
import type { MeshView } from './mesh-view.js';
import { selects } from './workload-instances.js';

export interface WorkloadScope {
  /** Services that the workload may call, in age order. One for each host. */
  readonly services: readonly MeshService[];
  /** Virtual services of the gateway `mesh`, in age order. */
  readonly virtualServices: readonly ConfigObject[];
  readonly outboundTrafficPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY';
  /** The Sidecar that decided; undefined for the default. */
  readonly sidecar: ConfigObject | undefined;
}

/** The Sidecar of a workload: selected by label, then its namespace's, then the root namespace's (Istio: getSidecarScope). */
export function sidecarOf(
  sidecars: readonly ConfigObject[],
  workload: Workload,
  rootNamespace: string,
): ConfigObject | undefined {
  const own = sidecars.filter((sidecar) => sidecar.metadata.namespace === workload.namespace);
  const selected = own.find((sidecar) => {
    const selector = (sidecar.spec as SidecarSpec).workloadSelector?.labels;
    return selector !== undefined && selects(selector, workload.labels);
  });
  const general = (list: readonly ConfigObject[]) =>
    list.find((sidecar) => (sidecar.spec as SidecarSpec).workloadSelector === undefined);
  return (
    selected ?? general(own) ?? general(sidecars.filter((sidecar) => sidecar.metadata.namespace === rootNamespace))
  );
}

export function scopeOf(view: MeshView, workload: Workload): WorkloadScope {
  const sidecar = sidecarOf(view.sidecars, workload, view.settings.rootNamespace);
  const spec = (sidecar?.spec ?? {}) as SidecarSpec;
  const patterns = spec.egress?.flatMap((listener) => listener.hosts ?? []) ?? ['*/*'];
  const imports = patterns.map((pattern) => egressHost(pattern, workload.namespace, view.settings.clusterDomain));
  return {
    services: visibleServices(view, workload, imports),
    virtualServices: visibleVirtualServices(view, workload, imports),
    outboundTrafficPolicy: spec.outboundTrafficPolicy?.mode ?? view.settings.outboundTrafficPolicy,
    sidecar,
  };
}

interface EgressHost {
  /** `*`, `~` (nothing) or a namespace. */
  readonly namespace: string;
  readonly host: string;
}

function egressHost(pattern: string, namespace: string, clusterDomain: string): EgressHost {
  const slash = pattern.indexOf('/');
  const owner = slash < 0 ? '*' : pattern.slice(0, slash);
  const resolved = owner === '.' || owner === '' ? namespace : owner;
  const host = pattern.slice(slash + 1);
  return { namespace: resolved, host: resolveHost(host, resolved === '*' ? namespace : resolved, clusterDomain) };
}

function visibleServices(view: MeshView, workload: Workload, imports: readonly EgressHost[]): readonly MeshService[] {
  const byHost = new Map<string, MeshService>();
  const everything = imports.some((entry) => entry.namespace === '*' && entry.host === '*');
  for (const service of view.services) {
    if (!exportedTo(service.exportTo, service.namespace, workload.namespace)) continue;
    const imported =
      everything ||
      imports.some((entry) => covers(entry.namespace, service.namespace) && hostCovers(entry.host, service.host));
    if (!imported) continue;
    const earlier = byHost.get(service.host);
    // Two namespaces may declare one host; the workload's own declaration wins, then the older one (Istio: sidecar scope).
    if (
      earlier === undefined ||
      (earlier.namespace !== workload.namespace && service.namespace === workload.namespace)
    ) {
      byHost.set(service.host, service);
    }
  }
  return [...byHost.values()];
}

function visibleVirtualServices(
  view: MeshView,
  workload: Workload,
  imports: readonly EgressHost[],
): readonly ConfigObject[] {
  return view.virtualServices.filter((object) => {
    const spec = object.spec as VirtualServiceSpec;
    const { namespace } = object.metadata;
    if (!(spec.gateways ?? ['mesh']).includes('mesh')) return false;
    if (!exportedTo(spec.exportTo, namespace, workload.namespace)) return false;
    const hosts = (spec.hosts ?? []).map((host) => resolveHost(host, namespace, view.settings.clusterDomain));
    return imports.some(
      (entry) => covers(entry.namespace, namespace) && hosts.some((host) => hostsOverlap(entry.host, host)),
    );
  });
}

function covers(pattern: string, namespace: string): boolean {
  return pattern === '*' || pattern === namespace;
}
