// The endpoints of a service port. EndpointSlices count first; a Service without any takes the Pods that its selector matches
// (Heddle's own rule, for meshes without Kubernetes); WorkloadEntries that the selector matches are added, as Istio does.
import type { ConfigObject } from '../model/config-object.js';
import type { EndpointSliceSpec } from './spec/kubernetes.js';
import type { MeshPort, MeshService } from './mesh-service.js';
import { type WorkloadInstance, bareInstance, inlineInstances, parseLocality, selects } from './workload-instances.js';

export interface MeshEndpoint {
  readonly instance: WorkloadInstance;
  /** IP address or, in a DNS service, a host name. */
  readonly address: string;
  readonly port: number;
  readonly health: 'healthy' | 'unhealthy' | 'draining' | 'unknown';
}

export interface EndpointSources {
  /** EndpointSlices by `namespace/service`. */
  readonly slices: ReadonlyMap<string, readonly ConfigObject[]>;
  readonly podsByNamespace: ReadonlyMap<string, readonly WorkloadInstance[]>;
  readonly entriesByNamespace: ReadonlyMap<string, readonly WorkloadInstance[]>;
  /** Pods by `namespace/name` and by address. */
  readonly podsByName: ReadonlyMap<string, WorkloadInstance>;
  readonly byAddress: ReadonlyMap<string, WorkloadInstance>;
}

/** What the endpoints of a service are made from, for comparing two versions of a mesh. */
export interface ServiceMembers {
  readonly slices: readonly ConfigObject[];
  readonly instances: readonly WorkloadInstance[];
}

export function membersOf(service: MeshService, sources: EndpointSources): ServiceMembers {
  const { namespace, selector } = service;
  const entries = selector === undefined ? [] : matching(sources.entriesByNamespace.get(namespace), selector);
  if (service.registry === 'external') {
    if (selector === undefined) return { slices: [], instances: inlineInstances(service.object, service.host) };
    return { slices: [], instances: [...matching(sources.podsByNamespace.get(namespace), selector), ...entries] };
  }
  if (service.aliasOf !== undefined) {
    return { slices: [], instances: [bareInstance(service.aliasOf, service.object)] };
  }
  const slices = sources.slices.get(`${namespace}/${service.name}`) ?? [];
  if (slices.length > 0) return { slices, instances: entries };
  const pods = selector === undefined ? [] : matching(sources.podsByNamespace.get(namespace), selector);
  return { slices, instances: [...pods, ...entries] };
}

export function endpointsOf(
  service: MeshService,
  port: MeshPort,
  members: ServiceMembers,
  sources: EndpointSources,
): readonly MeshEndpoint[] {
  const found = members.slices.flatMap((slice) => sliceEndpoints(slice, port, service, sources));
  for (const instance of members.instances) {
    const address = instance.addresses[0];
    if (address === undefined || (!instance.ready && !service.publishNotReady)) continue;
    const health = instance.kind === 'Pod' ? 'healthy' : 'unknown';
    found.push({ instance, address, port: instancePort(instance, port), health });
  }
  return found;
}

/** Port of an instance: by the service port's name, then the named target port, then the number. */
function instancePort(instance: WorkloadInstance, port: MeshPort): number {
  if (instance.kind !== 'Pod' && instance.ports[port.name] !== undefined) return instance.ports[port.name] ?? 0;
  if (typeof port.targetPort === 'number') return port.targetPort;
  return instance.ports[port.targetPort] ?? port.number;
}

function sliceEndpoints(
  slice: ConfigObject,
  port: MeshPort,
  service: MeshService,
  sources: EndpointSources,
): MeshEndpoint[] {
  const spec = slice.spec as EndpointSliceSpec;
  const slicePort = (spec.ports ?? []).find((candidate) => (candidate.name ?? '') === port.name);
  if (slicePort?.port === undefined) return [];
  const number = slicePort.port;
  return (spec.endpoints ?? []).flatMap((endpoint) => {
    const address = endpoint.addresses?.[0];
    if (address === undefined) return [];
    const ready = endpoint.conditions?.ready !== false;
    const draining = endpoint.conditions?.terminating === true && endpoint.conditions.serving === true;
    if (!ready && !draining && !service.publishNotReady) return [];
    const health = ready ? 'healthy' : draining ? 'draining' : 'unhealthy';
    return [{ instance: sliceInstance(endpoint, address, slice, sources), address, port: number, health } as const];
  });
}

function sliceInstance(
  endpoint: NonNullable<EndpointSliceSpec['endpoints']>[number],
  address: string,
  slice: ConfigObject,
  sources: EndpointSources,
): WorkloadInstance {
  const ref = endpoint.targetRef;
  const named =
    ref?.kind === 'Pod'
      ? sources.podsByName.get(`${ref.namespace ?? slice.metadata.namespace}/${ref.name ?? ''}`)
      : undefined;
  const known = named ?? sources.byAddress.get(address);
  if (known !== undefined) return known;
  const bare = bareInstance(address, slice);
  return endpoint.zone === undefined ? bare : { ...bare, locality: parseLocality(`/${endpoint.zone}`, '/') };
}

function matching(
  instances: readonly WorkloadInstance[] | undefined,
  selector: Readonly<Record<string, string>>,
): readonly WorkloadInstance[] {
  if (Object.keys(selector).length === 0) return [];
  return (instances ?? []).filter((instance) => selects(selector, instance.labels));
}
