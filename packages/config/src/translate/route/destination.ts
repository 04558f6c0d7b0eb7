// Destinations of routes: the cluster that a VirtualService destination names, and the hash by which its balancer picks.
import { type RouteAction_HashPolicy, RouteAction_HashPolicySchema, create, formatClusterName } from '@heddle/xds';
import type { MeshService } from '../../view/mesh-service.js';
import { servingHost } from '../../view/mesh-view.js';
import { resolveHost } from '../../view/host-names.js';
import type { ConsistentHashSpec, Destination } from '../../view/spec/istio.js';
import type { TranslationContext } from '../context.js';
import { policyFor } from '../cluster/traffic-policy.js';
import { durationOf } from '../wire.js';

/** Where a rule was written, and the port of the listener that it is translated for. */
export interface RouteScope {
  readonly context: TranslationContext;
  readonly namespace: string;
  readonly listenerPort: number;
}

/** `outbound|PORT|SUBSET|HOST`. Without a port: the service's only port, else the listener's (Istio: GetDestinationCluster). */
export function destinationCluster(destination: Destination, scope: RouteScope): string {
  const host = destinationHost(destination, scope);
  const service = visibleService(host, scope.context);
  return formatClusterName({
    direction: 'outbound',
    port: destinationPort(destination, service, scope),
    subset: destination.subset ?? '',
    host: service === undefined ? host : servingHost(scope.context.view, service),
  });
}

export function destinationHost(destination: Destination, scope: RouteScope): string {
  return resolveHost(destination.host ?? '', scope.namespace, scope.context.view.settings.clusterDomain);
}

function destinationPort(destination: Destination, service: MeshService | undefined, scope: RouteScope): number {
  if (destination.port?.number !== undefined) return destination.port.number;
  const only = service?.ports.length === 1 ? service.ports[0] : undefined;
  return only?.number ?? scope.listenerPort;
}

function visibleService(host: string, context: TranslationContext): MeshService | undefined {
  return context.view.servicesByHost.get(host);
}

/** The hash policy of a destination's cluster; undefined without consistent hashing. */
export function destinationHash(destination: Destination, scope: RouteScope): RouteAction_HashPolicy | undefined {
  const host = destinationHost(destination, scope);
  const rule = scope.context.ruleFor(host);
  if (rule === undefined) return undefined;
  const service = visibleService(host, scope.context);
  const subset = rule.subsets.find((candidate) => candidate.name === destination.subset);
  const policy = policyFor(rule, destinationPort(destination, service, scope), subset);
  return hashPolicy(policy.loadBalancer?.consistentHash);
}

export function hashPolicy(hash: ConsistentHashSpec | undefined): RouteAction_HashPolicy | undefined {
  const specifier = hash === undefined ? undefined : hashSpecifier(hash);
  return specifier === undefined ? undefined : create(RouteAction_HashPolicySchema, { policySpecifier: specifier });
}

function hashSpecifier(hash: ConsistentHashSpec) {
  if (hash.httpHeaderName !== undefined) {
    return { case: 'header', value: { headerName: hash.httpHeaderName } } as const;
  }
  if (hash.httpCookie !== undefined) {
    const { name = '', path = '', ttl, attributes = [] } = hash.httpCookie;
    const lifetime = durationOf(ttl);
    const fields = attributes.map((attribute) => ({ name: attribute.name ?? '', value: attribute.value ?? '' }));
    return {
      case: 'cookie',
      value: { name, path, attributes: fields, ...(lifetime === undefined ? {} : { ttl: lifetime }) },
    } as const;
  }
  if (hash.useSourceIp === true) return { case: 'connectionProperties', value: { sourceIp: true } } as const;
  if (hash.httpQueryParameterName !== undefined) {
    return { case: 'queryParameter', value: { name: hash.httpQueryParameterName } } as const;
  }
  return undefined;
}
