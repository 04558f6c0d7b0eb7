// Which accepted resources come into force: make before break over the whole graph. A route table that names a cluster whose endpoints
// are on their way keeps its former version, a new listener waits for its routes, and a cluster that a route in force still names
// stays although it was removed (Envoy: cluster warming, listener warming; xDS protocol, "eventual consistency considerations").
import {
  CLUSTER_TYPE_URL,
  ENDPOINT_TYPE_URL,
  LISTENER_TYPE_URL,
  type RawResource,
  ROUTE_TYPE_URL,
  type ResourceTypeUrl,
  SECRET_TYPE_URL,
} from '@heddle/xds';
import type { ResourceReference } from './resource-view.js';

type Resources = ReadonlyMap<string, RawResource>;

/** One set of resources by kind. */
export interface ResourceGraph {
  readonly listeners: Resources;
  readonly routes: Resources;
  readonly clusters: Resources;
  readonly endpoints: Resources;
  readonly secrets: Resources;
}

export interface WarmingInput {
  readonly accepted: ResourceGraph;
  readonly inForce: ResourceGraph;
  references(resource: RawResource): readonly ResourceReference[];
  /** True when no better answer is to come for the name: refused, missing, or waited for long enough. */
  readonly settled: (reference: ResourceReference) => boolean;
  /** True when the removed cluster has been kept for long enough. */
  readonly removalDue: (cluster: string) => boolean;
}

export interface AwaitedResource extends ResourceReference {
  /** `Cluster NAME`, `RouteConfiguration NAME` or `Listener NAME` that needs it. */
  readonly neededBy: string;
}

export interface WarmingResult {
  readonly graph: ResourceGraph;
  readonly awaited: readonly AwaitedResource[];
  /** Removed clusters that stay because a route or listener in force names them. */
  readonly retainedClusters: readonly string[];
}

export function warm(input: WarmingInput): WarmingResult {
  const awaited: AwaitedResource[] = [];
  const clusters = warmClusters(input, awaited);
  const routes = warmRoutes(input, clusters, awaited);
  const listeners = warmListeners(input, clusters, routes, awaited);
  const retainedClusters = retainClusters(input, clusters, [routes, listeners]);
  const holders = [...clusters.values(), ...listeners.values()];
  const endpoints = referenced(input, holders, ENDPOINT_TYPE_URL, 'endpoints');
  const secrets = referenced(input, holders, SECRET_TYPE_URL, 'secrets');
  return { graph: { listeners, routes, clusters, endpoints, secrets }, awaited, retainedClusters };
}

function warmClusters(input: WarmingInput, awaited: AwaitedResource[]): Map<string, RawResource> {
  const next = new Map<string, RawResource>();
  for (const [name, cluster] of input.accepted.clusters) {
    const blocking = input
      .references(cluster)
      .filter((reference) => !delivered(input, reference) && !input.settled(reference));
    const former = input.inForce.clusters.get(name);
    if (blocking.length === 0) next.set(name, cluster);
    else if (former !== undefined) next.set(name, former);
    for (const reference of blocking) awaited.push({ ...reference, neededBy: `Cluster ${name}` });
  }
  return next;
}

function warmRoutes(input: WarmingInput, clusters: Resources, awaited: AwaitedResource[]): Map<string, RawResource> {
  const next = new Map<string, RawResource>();
  for (const name of routeNames(input)) {
    const accepted = input.accepted.routes.get(name);
    const former = input.inForce.routes.get(name);
    // A removed table stays while a listener names it (Envoy takes no removal of a RouteConfiguration in use).
    const chosen =
      accepted === undefined
        ? former
        : choose(input, `RouteConfiguration ${name}`, accepted, former, clusters, awaited);
    if (chosen !== undefined) next.set(name, chosen);
  }
  return next;
}

function warmListeners(
  input: WarmingInput,
  clusters: Resources,
  routes: Resources,
  awaited: AwaitedResource[],
): Map<string, RawResource> {
  const next = new Map<string, RawResource>();
  for (const [name, accepted] of input.accepted.listeners) {
    const former = input.inForce.listeners.get(name);
    const chosen = choose(input, `Listener ${name}`, accepted, former, clusters, awaited, routes);
    if (chosen !== undefined) next.set(name, chosen);
  }
  return next;
}

/** The accepted version when nothing it needs is on its way, else the former one. */
function choose(
  input: WarmingInput,
  neededBy: string,
  accepted: RawResource,
  former: RawResource | undefined,
  clusters: Resources,
  awaited: AwaitedResource[],
  routes?: Resources,
): RawResource | undefined {
  if (accepted === former) return accepted;
  const known = new Set<string>();
  if (former !== undefined)
    for (const { typeUrl, name } of input.references(former)) if (typeUrl === CLUSTER_TYPE_URL) known.add(name);
  const blocking = input.references(accepted).filter((reference) => {
    if (reference.typeUrl === CLUSTER_TYPE_URL)
      return clusterBlocks(input, reference, clusters, former === undefined, known);
    if (reference.typeUrl === ROUTE_TYPE_URL && routes !== undefined) return routeBlocks(input, reference, routes);
    return !delivered(input, reference) && !input.settled(reference);
  });
  for (const reference of blocking) awaited.push({ ...reference, neededBy });
  return blocking.length === 0 ? accepted : former;
}

function clusterBlocks(
  input: WarmingInput,
  reference: ResourceReference,
  clusters: Resources,
  first: boolean,
  known: ReadonlySet<string>,
) {
  if (clusters.has(reference.name)) return false;
  // Accepted and not in force: its endpoints are on their way, and that wait is bounded.
  if (input.accepted.clusters.has(reference.name)) return true;
  // Unknown. A first version would serve the rest of its routes; and what the version in force names already makes nothing worse.
  return !first && !known.has(reference.name) && !input.settled(reference);
}

function routeBlocks(input: WarmingInput, reference: ResourceReference, routes: Resources): boolean {
  if (routes.has(reference.name)) return false;
  return input.accepted.routes.has(reference.name) || !input.settled(reference);
}

/** Adds removed clusters that are still named to `clusters`; returns their names. */
function retainClusters(
  input: WarmingInput,
  clusters: Map<string, RawResource>,
  holders: readonly Resources[],
): readonly string[] {
  const retained: string[] = [];
  for (const resources of holders) {
    for (const holder of resources.values()) {
      for (const { typeUrl, name } of input.references(holder)) {
        if (typeUrl !== CLUSTER_TYPE_URL || clusters.has(name) || input.accepted.clusters.has(name)) continue;
        const former = input.inForce.clusters.get(name);
        if (former === undefined || input.removalDue(name)) continue;
        clusters.set(name, former);
        retained.push(name);
      }
    }
  }
  return retained;
}

/** The by-name resources that the holders need: the accepted version, else the one in force (a removal of one in use is not followed). */
function referenced(
  input: WarmingInput,
  holders: readonly RawResource[],
  wanted: ResourceTypeUrl,
  kind: 'endpoints' | 'secrets',
): Map<string, RawResource> {
  const next = new Map<string, RawResource>();
  for (const holder of holders) {
    for (const { typeUrl, name } of input.references(holder)) {
      if (typeUrl !== wanted) continue;
      const resource = input.accepted[kind].get(name) ?? input.inForce[kind].get(name);
      if (resource !== undefined) next.set(name, resource);
    }
  }
  return next;
}

function routeNames(input: WarmingInput): ReadonlySet<string> {
  const names = new Set<string>();
  for (const listeners of [input.accepted.listeners, input.inForce.listeners]) {
    for (const listener of listeners.values()) {
      for (const { typeUrl, name } of input.references(listener)) if (typeUrl === ROUTE_TYPE_URL) names.add(name);
    }
  }
  return names;
}

function delivered(input: WarmingInput, { typeUrl, name }: ResourceReference): boolean {
  return resourcesOf(input.accepted, typeUrl).has(name);
}

/** The resources of one type. */
export function resourcesOf(graph: ResourceGraph, typeUrl: ResourceTypeUrl): Resources {
  switch (typeUrl) {
    case LISTENER_TYPE_URL:
      return graph.listeners;
    case ROUTE_TYPE_URL:
      return graph.routes;
    case CLUSTER_TYPE_URL:
      return graph.clusters;
    case ENDPOINT_TYPE_URL:
      return graph.endpoints;
    case SECRET_TYPE_URL:
      return graph.secrets;
  }
}
