// The virtual hosts of a port: one for each service there, and one for each host that a VirtualService adds to them.
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  type ConfigOrigin,
  type Route,
  type VirtualHost,
  VirtualHostSchema,
  RouteSchema,
  create,
  formatClusterName,
} from '@heddle/xds';
import { isWildcard } from '../../view/host-names.js';
import { type MeshPort, type MeshService, portNumbered } from '../../view/mesh-service.js';
import { servingHost } from '../../view/mesh-view.js';
import { isHttp } from '../../view/port-protocol.js';
import { policyFor } from '../cluster/traffic-policy.js';
import type { TranslationContext } from '../context.js';
import { originAt } from '../translated.js';
import { durationOfMs } from '../wire.js';
import { hashPolicy } from './destination.js';
import type { HostRules } from './host-rules.js';
import { retryPolicy } from './retry-policy.js';
import { virtualHostDomains } from './virtual-host-domains.js';
import { type OriginatedRoute, type RuleSet, ruleSetRoutes } from './virtual-service-routes.js';

export interface OriginatedHost {
  readonly virtualHost: VirtualHost;
  readonly details: ReadonlyMap<string, ConfigOrigin>;
}

export function portVirtualHosts(
  context: TranslationContext,
  rules: HostRules,
  port: number,
): readonly OriginatedHost[] {
  const taken = new Set<string>();
  const used = new Set<RuleSet>();
  const hosts = context.scope.services.flatMap((service) => {
    const servicePort = portNumbered(service, port);
    if (servicePort === undefined || !(isHttp(servicePort.protocol) || servicePort.protocol === 'auto')) return [];
    const sets = rules.for(service.host);
    for (const set of sets) used.add(set);
    return serviceHosts(context, service, servicePort, sets, taken);
  });
  const added = rules.all.flatMap((set) => addedHosts(context, set, port, used.has(set), taken));
  return [...hosts, ...added].sort((a, b) => (a.virtualHost.name < b.virtualHost.name ? -1 : 1));
}

function serviceHosts(
  context: TranslationContext,
  service: MeshService,
  port: MeshPort,
  sets: readonly RuleSet[],
  taken: Set<string>,
): readonly OriginatedHost[] {
  const { workload, view, reuse } = context;
  const all = virtualHostDomains(service, workload.namespace, view.settings.clusterDomain);
  const domains = all.filter((domain) => !taken.has(domain));
  for (const domain of domains) taken.add(domain);
  if (domains.length === 0) return [];
  const name = `${service.host}:${port.number}`;
  if (sets.length > 0) {
    const made = firstRoutes(sets, port.number, context);
    if (made !== undefined) return [virtualHost(name, domains, made.routes, made.set.origin)];
  }
  const rule = context.ruleFor(service.host);
  const made = reuse.of(`host ${name} ${domains.join(' ')}`, [service, rule, servingHost(view, service)], () =>
    serviceHost(context, service, port, domains),
  );
  return [made];
}

/** Everything to the service, where no rule says otherwise. */
function serviceHost(
  context: TranslationContext,
  service: MeshService,
  port: MeshPort,
  domains: readonly string[],
): OriginatedHost {
  const origin = originAt(service.object, ['spec', 'ports', service.ports.indexOf(port)]);
  const route = defaultRoute(context, service, port);
  return virtualHost(`${service.host}:${port.number}`, domains, [{ route, origin }], origin);
}

/** A rule set without a route on this port leaves the port to the next one. */
function firstRoutes(
  sets: readonly RuleSet[],
  port: number,
  context: TranslationContext,
): { readonly set: RuleSet; readonly routes: readonly OriginatedRoute[] } | undefined {
  for (const set of sets) {
    const routes = ruleSetRoutes(set, port, context);
    if (routes.length > 0) return { set, routes };
  }
  return undefined;
}

/**
 * Hosts of a VirtualService that no service has. They are served on the ports of the services that it does name and, for hosts
 * of no service at all, on port 80 (Istio: buildSidecarVirtualHostsForVirtualService).
 */
function addedHosts(
  context: TranslationContext,
  set: RuleSet,
  port: number,
  servesPort: boolean,
  taken: Set<string>,
): readonly OriginatedHost[] {
  if (set.gateway || (!servesPort && port !== 80)) return [];
  const unknown = set.hosts.filter((host) => !taken.has(host) && !coversService(context, host));
  const routes = unknown.length === 0 ? [] : ruleSetRoutes(set, port, context);
  if (routes.length === 0) return [];
  return unknown.map((host) => {
    taken.add(host);
    return virtualHost(`${host}:${port}`, [host], routes, set.origin);
  });
}

function coversService({ view, scope }: TranslationContext, host: string): boolean {
  if (!isWildcard(host)) return view.servicesByHost.has(host);
  return scope.services.some((service) => service.host.endsWith(host.slice(1)));
}

function virtualHost(
  name: string,
  domains: readonly string[],
  routes: readonly OriginatedRoute[],
  origin: ConfigOrigin,
): OriginatedHost {
  const details = new Map([[name, origin]]);
  routes.forEach(({ route, origin }, index) => {
    details.set(`${name}/${index}`, origin);
    if (route.name !== '' && route.name !== 'default') details.set(route.name, origin);
  });
  return {
    details,
    virtualHost: create(VirtualHostSchema, {
      name,
      domains: [...domains],
      routes: routes.map(({ route }) => route),
      includeRequestAttemptCount: true,
    }),
  };
}

function defaultRoute(context: TranslationContext, service: MeshService, port: MeshPort): Route {
  const cluster = formatClusterName({
    direction: 'outbound',
    port: port.number,
    subset: '',
    host: servingHost(context.view, service),
  });
  const policy = policyFor(context.ruleFor(service.host), port.number);
  const hash = hashPolicy(policy.loadBalancer?.consistentHash);
  const retry = retryPolicy(undefined, false);
  const zero = durationOfMs(0);
  return create(RouteSchema, {
    name: 'default',
    match: { pathSpecifier: { case: 'prefix', value: '/' } },
    decorator: { operation: `${service.host}:${port.number}/*` },
    action: {
      case: 'route',
      value: {
        clusterSpecifier: { case: 'cluster', value: cluster },
        timeout: zero,
        maxGrpcTimeout: zero,
        ...(retry === undefined ? {} : { retryPolicy: retry }),
        hashPolicy: hash === undefined ? [] : [hash],
      },
    },
  });
}
