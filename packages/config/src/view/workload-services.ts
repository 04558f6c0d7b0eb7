// The services that a workload itself is part of: by its addresses, else by its labels. They become its inbound side.
import type { Workload } from '../model/workload.js';
import type { ServiceEntrySpec } from './spec/istio.js';
import type { MeshPort, MeshService } from './mesh-service.js';
import type { MeshView } from './mesh-view.js';
import { selects } from './workload-instances.js';

/** A port on which the workload serves a service. */
export interface ServedPort {
  readonly service: MeshService;
  readonly port: MeshPort;
  /** The port that the workload listens on. */
  readonly targetPort: number;
}

export function servedPorts(view: MeshView, workload: Workload): readonly ServedPort[] {
  const byAddress = view.services.flatMap((service) => portsByAddress(view, service, workload));
  if (byAddress.length > 0) return byAddress;
  return view.services.flatMap((service) => portsByLabels(view, service, workload));
}

function portsByAddress(view: MeshView, service: MeshService, workload: Workload): readonly ServedPort[] {
  if (service.external || workload.addresses.length === 0) return [];
  return service.ports.flatMap((port) => {
    if (port.protocol === 'udp') return [];
    // Two workloads may share one loopback address in tests and on one machine: the labels decide between them.
    const own = view
      .endpoints(service, port)
      .filter(
        (endpoint) => workload.addresses.includes(endpoint.address) && isLike(endpoint.instance.labels, workload),
      );
    const found = own[0];
    return found === undefined ? [] : [{ service, port, targetPort: found.port }];
  });
}

/** Labels that the workload states contradict none of the endpoint's. */
function isLike(labels: Readonly<Record<string, string>>, workload: Workload): boolean {
  return Object.entries(workload.labels).every(([key, value]) => labels[key] === undefined || labels[key] === value);
}

function portsByLabels(view: MeshView, service: MeshService, workload: Workload): readonly ServedPort[] {
  if (service.external || service.namespace !== workload.namespace) return [];
  const inline =
    service.registry === 'external' && service.selector === undefined ? inlinePorts(service, workload) : undefined;
  if (inline === undefined && !selectsWorkload(service, workload)) return [];
  return service.ports
    .filter((port) => port.protocol !== 'udp')
    .map((port) => ({
      service,
      port,
      targetPort: inline?.[port.name] ?? listeningPort(view, service, port, workload),
    }));
}

/** `ports` of the ServiceEntry endpoint whose labels the workload has; undefined when there is none. */
function inlinePorts(service: MeshService, workload: Workload): Readonly<Record<string, number>> | undefined {
  const endpoints = (service.object.spec as ServiceEntrySpec).endpoints ?? [];
  const own = endpoints.find((endpoint) => {
    const labels = Object.entries(endpoint.labels ?? {}).filter(([key]) => !key.startsWith('security.istio.io/'));
    return labels.length > 0 && selects(Object.fromEntries(labels), workload.labels);
  });
  return own === undefined ? undefined : (own.ports ?? {});
}

function selectsWorkload(service: MeshService, workload: Workload): boolean {
  const { selector } = service;
  return selector !== undefined && Object.keys(selector).length > 0 && selects(selector, workload.labels);
}

// A named target port needs a Pod to say its number; an endpoint with the workload's labels tells it.
function listeningPort(view: MeshView, service: MeshService, port: MeshPort, workload: Workload): number {
  if (typeof port.targetPort === 'number') return port.targetPort;
  const alike = view.endpoints(service, port).find((endpoint) => selects(workload.labels, endpoint.instance.labels));
  return alike?.port ?? port.number;
}
