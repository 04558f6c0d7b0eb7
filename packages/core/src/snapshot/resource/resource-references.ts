// Which resources a resource needs: what to subscribe to by name, and what to wait for before it takes effect.
import {
  CLUSTER_TYPE_URL,
  type Cluster,
  ENDPOINT_TYPE_URL,
  type Listener,
  ROUTE_TYPE_URL,
  type RouteAction,
  type VirtualHost,
} from '@heddle/xds';
import type { ResourceReference } from '../../feed/resource-view.js';
import { edsNameOf } from '../cluster/cluster-compile.js';
import { CompileReport } from '../compile-report.js';
import { routeNamesOf } from '../listener/listener-parse.js';

/** RouteConfigurations by name. Secrets are never among them: `default` and `ROOTCA` come from the identity room, `file-…` names from disk. */
export function listenerReferences(listener: Listener): readonly ResourceReference[] {
  return routeNamesOf(listener, new CompileReport('')).map((name) => ({ typeUrl: ROUTE_TYPE_URL, name }));
}

export function clusterReferences(cluster: Cluster): readonly ResourceReference[] {
  const name = edsNameOf(cluster);
  return name === undefined ? [] : [{ typeUrl: ENDPOINT_TYPE_URL, name }];
}

/** Adds the clusters that the routes of a virtual host name. */
export function addHostClusters(host: VirtualHost, names: Set<string>): void {
  for (const route of host.routes) if (route.action.case === 'route') addClusters(route.action.value, names);
}

export function clustersByName(names: ReadonlySet<string>): readonly ResourceReference[] {
  return [...names].map((name) => ({ typeUrl: CLUSTER_TYPE_URL, name }));
}

function addClusters(action: RouteAction, names: Set<string>): void {
  const specifier = action.clusterSpecifier;
  if (specifier.case === 'cluster') names.add(specifier.value);
  if (specifier.case === 'weightedClusters')
    for (const cluster of specifier.value.clusters) if (cluster.name !== '') names.add(cluster.name);
  for (const mirror of action.requestMirrorPolicies) if (mirror.cluster !== '') names.add(mirror.cluster);
}
