// RouteConfigurations: one for each HTTP port of the mesh (`9080`), one for each port whose protocol is detected (`HOST:PORT`).
import {
  type ConfigOrigin,
  PASSTHROUGH_CLUSTER,
  type RouteConfiguration,
  RouteConfigurationSchema,
  type VirtualHost,
  VirtualHostSchema,
  create,
} from '@heddle/xds';
import type { TranslationContext } from '../context.js';
import { NO_DETAILS, type Translated } from '../translated.js';
import { durationOfMs } from '../wire.js';
import { hostRulesOf } from './host-rules.js';
import { type OriginatedHost, portVirtualHosts } from './virtual-hosts.js';

const MAX_DIRECT_RESPONSE_BYTES = 1_048_576;

export interface RouteNames {
  /** Ports with a listener `0.0.0.0_PORT`. */
  readonly ports: readonly number[];
  /** `HOST:PORT` of ports whose protocol is detected and that have a listener at their own address. */
  readonly detected: readonly string[];
}

export function routeConfigurations(
  context: TranslationContext,
  names: RouteNames,
): readonly Translated<RouteConfiguration>[] {
  const rules = hostRulesOf(context);
  const policy = context.scope.outboundTrafficPolicy;
  const fallback = context.reuse.of(`catch-all ${policy}`, [], () => catchAll(policy));
  const hosts = new Map<number, readonly OriginatedHost[]>();
  const hostsOf = (port: number) => {
    const known = hosts.get(port) ?? portVirtualHosts(context, rules, port);
    hosts.set(port, known);
    return known;
  };
  const byPort = names.ports.map((port) => {
    const found = hostsOf(port);
    return context.reuse.of(`routes ${port}`, [fallback, ...found], () => configuration(String(port), found, fallback));
  });
  return [...byPort, ...names.detected.map((name) => detectedConfiguration(name, hostsOf))];
}

function configuration(
  name: string,
  hosts: readonly OriginatedHost[],
  fallback: VirtualHost | undefined,
): Translated<RouteConfiguration> {
  const details = new Map<string, ConfigOrigin>();
  for (const host of hosts)
    for (const [detail, origin] of host.details) if (!details.has(detail)) details.set(detail, origin);
  const virtualHosts = hosts.map((host) => host.virtualHost);
  return {
    name,
    message: create(RouteConfigurationSchema, {
      name,
      virtualHosts: fallback === undefined ? virtualHosts : [...virtualHosts, fallback],
      validateClusters: false,
      maxDirectResponseBodySizeBytes: MAX_DIRECT_RESPONSE_BYTES,
      ignorePortInHostMatching: true,
    }),
    origin: undefined,
    details: details.size === 0 ? NO_DETAILS : details,
  };
}

/** The listener already tells the host, so its one virtual host takes every name. */
function detectedConfiguration(
  name: string,
  hostsOf: (port: number) => readonly OriginatedHost[],
): Translated<RouteConfiguration> {
  const port = Number(name.slice(name.lastIndexOf(':') + 1));
  const host = hostsOf(port).find((candidate) => candidate.virtualHost.name === name);
  if (host === undefined) return configuration(name, [], undefined);
  const { routes, includeRequestAttemptCount } = host.virtualHost;
  const virtualHost = create(VirtualHostSchema, { name, domains: ['*'], routes, includeRequestAttemptCount });
  return configuration(name, [{ virtualHost, details: host.details }], undefined);
}

/** Hosts that no service has: on to where the caller dialled, or refused with 502. */
function catchAll(policy: 'ALLOW_ANY' | 'REGISTRY_ONLY'): VirtualHost {
  const match = { pathSpecifier: { case: 'prefix' as const, value: '/' } };
  const zero = durationOfMs(0);
  const [name, action] =
    policy === 'ALLOW_ANY'
      ? ([
          'allow_any',
          {
            case: 'route',
            value: {
              clusterSpecifier: { case: 'cluster', value: PASSTHROUGH_CLUSTER },
              timeout: zero,
              maxGrpcTimeout: zero,
            },
          },
        ] as const)
      : (['block_all', { case: 'directResponse', value: { status: 502 } }] as const);
  return create(VirtualHostSchema, {
    name,
    domains: ['*'],
    routes: [{ name, match, action }],
    includeRequestAttemptCount: true,
  });
}
