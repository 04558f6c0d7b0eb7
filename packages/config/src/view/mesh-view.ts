// The mesh as one immutable, indexed value over configuration objects. Building it again with the former view keeps every part
// whose source objects are the same, so that translation can tell what did not change.
import type { ConfigObject } from '../model/config-object.js';
import { type RuleIndex, indexRules } from './destination-rules.js';
import { type EndpointSources, type MeshEndpoint, type ServiceMembers, endpointsOf, membersOf } from './endpoints.js';
import { DEFAULT_MESH_SETTINGS, type MeshSettings } from './mesh-settings.js';
import type { MeshPort, MeshService } from './mesh-service.js';
import { kubernetesService, serviceEntryServices } from './services.js';
import {
  type Locality,
  type WorkloadInstance,
  entryInstance,
  labelledLocality,
  podInstance,
} from './workload-instances.js';

export interface MeshView {
  readonly settings: MeshSettings;
  readonly services: readonly MeshService[];
  readonly servicesByHost: ReadonlyMap<string, MeshService>;
  readonly instances: EndpointSources;
  /** All of the following in age order, oldest first. */
  readonly virtualServices: readonly ConfigObject[];
  readonly httpRoutes: readonly ConfigObject[];
  readonly sidecars: readonly ConfigObject[];
  readonly peerAuthentications: readonly ConfigObject[];
  readonly authorizationPolicies: readonly ConfigObject[];
  readonly envoyFilters: readonly ConfigObject[];
  readonly destinationRules: RuleIndex;
  /** Endpoints of a service port. The same array as in the former view while nothing about it changed. */
  endpoints(service: MeshService, port: MeshPort): readonly MeshEndpoint[];
  /** For the next view only. */
  readonly memo: ViewMemo;
}

interface ViewMemo {
  readonly services: WeakMap<ConfigObject, readonly MeshService[]>;
  readonly instances: WeakMap<ConfigObject, readonly WorkloadInstance[]>;
  readonly endpoints: Map<string, EndpointMemo>;
  readonly nodes: string;
}
interface EndpointMemo {
  readonly inputs: readonly unknown[];
  readonly endpoints: readonly MeshEndpoint[];
}

/** The host whose clusters serve this service: another service of the mesh for an ExternalName that names one. */
export function servingHost(view: MeshView, service: MeshService): string {
  const { aliasOf } = service;
  return aliasOf !== undefined && view.servicesByHost.has(aliasOf) ? aliasOf : service.host;
}

/** Builds the view. `previous` must have been built with equal settings; its unchanged parts are shared. */
export function buildMeshView(
  objects: readonly ConfigObject[],
  settings: Partial<MeshSettings> = {},
  previous?: MeshView,
): MeshView {
  const full = { ...DEFAULT_MESH_SETTINGS, ...settings };
  const byKind = groupByKind(objects);
  const of = (kind: string) => byKind.get(kind) ?? [];
  const nodes = nodeLocalities(of('Node'));
  const nodesKey = JSON.stringify([...nodes]);
  const kept = previous?.memo;
  const memo: ViewMemo = {
    services: kept?.services ?? new WeakMap<ConfigObject, readonly MeshService[]>(),
    instances: kept?.nodes === nodesKey ? kept.instances : new WeakMap<ConfigObject, readonly WorkloadInstance[]>(),
    endpoints: new Map(),
    nodes: nodesKey,
  };
  const services = [...of('Service'), ...of('ServiceEntry')].flatMap((object) => servicesOf(object, full, memo));
  const instances = indexInstances(of('Pod'), of('WorkloadEntry'), of('EndpointSlice'), nodes, memo);
  return {
    settings: full,
    services,
    servicesByHost: new Map([...services].reverse().map((service) => [service.host, service])),
    instances,
    virtualServices: of('VirtualService'),
    httpRoutes: of('HTTPRoute'),
    sidecars: of('Sidecar'),
    peerAuthentications: of('PeerAuthentication'),
    authorizationPolicies: of('AuthorizationPolicy'),
    envoyFilters: of('EnvoyFilter'),
    destinationRules: indexRules(of('DestinationRule'), full.clusterDomain),
    endpoints: endpointReader(instances, memo, kept),
    memo,
  };
}

/** Objects by kind, oldest first: by creation time, then in reading order (Istio: sortConfigByCreationTime). */
function groupByKind(objects: readonly ConfigObject[]): Map<string, ConfigObject[]> {
  const byKind = groupBy(objects, (object) => object.kind);
  for (const list of byKind.values()) list.sort(byAge);
  return byKind;
}

function byAge(a: ConfigObject, b: ConfigObject): number {
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== undefined && right !== undefined && left !== right) return left < right ? -1 : 1;
  return a.order - b.order;
}

function servicesOf(object: ConfigObject, settings: MeshSettings, memo: ViewMemo): readonly MeshService[] {
  const known = memo.services.get(object);
  if (known !== undefined) return known;
  const made =
    object.kind === 'Service' ? [kubernetesService(object, settings.clusterDomain)] : serviceEntryServices(object);
  memo.services.set(object, made);
  return made;
}

function nodeLocalities(nodes: readonly ConfigObject[]): ReadonlyMap<string, Locality> {
  const found = new Map<string, Locality>();
  for (const node of nodes) {
    const locality = labelledLocality(node.metadata.labels);
    if (locality !== undefined) found.set(node.metadata.name, locality);
  }
  return found;
}

function indexInstances(
  podObjects: readonly ConfigObject[],
  entryObjects: readonly ConfigObject[],
  sliceObjects: readonly ConfigObject[],
  nodes: ReadonlyMap<string, Locality>,
  memo: ViewMemo,
): EndpointSources {
  const once = (object: ConfigObject, make: () => WorkloadInstance | undefined) => {
    const known = memo.instances.get(object) ?? [make()].filter((instance) => instance !== undefined);
    memo.instances.set(object, known);
    return known;
  };
  const pods = podObjects.flatMap((pod) => once(pod, () => podInstance(pod, nodes)));
  const entries = entryObjects.flatMap((entry) =>
    once(entry, () => entryInstance(entry.spec, entry, entry.metadata.name)),
  );
  const byAddress = new Map<string, WorkloadInstance>();
  for (const instance of [...entries, ...pods])
    for (const address of instance.addresses) byAddress.set(address, instance);
  return {
    slices: groupBy(sliceObjects, (slice) => {
      const service = slice.metadata.labels['kubernetes.io/service-name'] ?? '';
      return `${slice.metadata.namespace}/${service}`;
    }),
    podsByNamespace: groupBy(pods, (pod) => pod.namespace),
    entriesByNamespace: groupBy(entries, (entry) => entry.namespace),
    podsByName: new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod])),
    byAddress,
  };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Reads endpoints on first use; unchanged inputs give the array of the former view. */
function endpointReader(sources: EndpointSources, memo: ViewMemo, kept: ViewMemo | undefined): MeshView['endpoints'] {
  const members = new Map<MeshService, ServiceMembers>();
  return (service, port) => {
    const key = `${service.namespace}/${service.host}:${port.number}`;
    const known = memo.endpoints.get(key);
    if (known !== undefined && known.inputs[0] === service) return known.endpoints;
    const found = members.get(service) ?? membersOf(service, sources);
    members.set(service, found);
    const made = endpointsOf(service, port, found, sources);
    const before = kept?.endpoints.get(key);
    const entry =
      before !== undefined && sameEndpoints(before.endpoints, made)
        ? { ...before, inputs: [service] }
        : { inputs: [service], endpoints: made };
    memo.endpoints.set(key, entry);
    return entry.endpoints;
  };
}

function sameEndpoints(a: readonly MeshEndpoint[], b: readonly MeshEndpoint[]): boolean {
  return a.length === b.length && a.every((left, index) => sameEndpoint(left, b[index]));
}

function sameEndpoint(a: MeshEndpoint, b: MeshEndpoint | undefined): boolean {
  return (
    b !== undefined &&
    a.address === b.address &&
    a.port === b.port &&
    a.health === b.health &&
    sameInstance(a.instance, b.instance)
  );
}

// Inline instances are made anew for each view from one object; the object and the name then say whether they are the same.
function sameInstance(a: WorkloadInstance, b: WorkloadInstance): boolean {
  return (
    a === b ||
    (a.kind !== 'Pod' && a.name === b.name && a.object.spec === b.object.spec && a.locality.zone === b.locality.zone)
  );
}
