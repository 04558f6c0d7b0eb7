// The inbound listener: filter chains for each served port by PeerAuthentication, then chains for ports that no service
// declares, all with the workload's authorization (Istio: listener_inbound.go).
import {
  BLACK_HOLE_CLUSTER,
  type ConfigOrigin,
  type Filter,
  type FilterChain,
  FilterChainSchema,
  type HttpFilter,
  type Listener,
  VIRTUAL_INBOUND_LISTENER,
  create,
} from '@heddle/xds';
import { type EffectiveMtls, mtlsOfPort } from '../../view/peer-authentication.js';
import type { PortProtocol } from '../../view/port-protocol.js';
import { httpPolicyFilters, networkPolicyFilters } from '../authorization/policy-filters.js';
import { workloadPolicies } from '../authorization/workload-policies.js';
import type { TranslationContext } from '../context.js';
import { patchedFilters } from '../envoy-filter/http-filter-patches.js';
import { inboundManager, tcpProxy } from '../listener/connection-manager.js';
import { standardFilters } from '../listener/http-filters.js';
import { inboundListener } from '../listener/listener-frame.js';
import { type Translated, originAt } from '../translated.js';
import { type ChainMatch, chainMatches } from './chain-matches.js';
import { downstreamTls } from './downstream-tls.js';
import { INBOUND_PASSTHROUGH_CLUSTER, inboundClusterName } from './inbound-clusters.js';
import { type InboundRoute, inboundRoutes } from './inbound-routes.js';

/** Port of `virtualInbound`, where captured connections arrive. */
const INBOUND_PORT = 15_006;

/** One port, or all others, with its protocol and mode. */
interface PortChains {
  readonly protocol: PortProtocol;
  readonly mode: EffectiveMtls;
  /** undefined matches every port. */
  readonly destinationPort: number | undefined;
  readonly name: (kind: ChainMatch['kind']) => string;
  readonly statPrefix: string;
  readonly route: InboundRoute;
}

interface Authorization {
  readonly http: readonly HttpFilter[];
  readonly network: readonly Filter[];
}

export function virtualInbound(context: TranslationContext): Translated<Listener> {
  const policies = workloadPolicies(context);
  const authorization = { http: httpPolicyFilters(policies), network: networkPolicyFilters(policies) };
  const ports = [...otherPorts(context), ...servedChains(context)];
  const chains = ports.flatMap((port) => portChains(context, port, authorization));
  const message = inboundListener(VIRTUAL_INBOUND_LISTENER, INBOUND_PORT, [ownPortChain(), ...chains]);
  const details = new Map<string, ConfigOrigin>();
  for (const policy of policies.policies) {
    const { name, namespace } = policy.metadata;
    const rules = Array.isArray(policy.spec['rules']) ? policy.spec['rules'].length : 0;
    for (let index = 0; index < Math.max(rules, 1); index += 1) {
      details.set(`ns[${namespace}]-policy[${name}]-rule[${index}]`, originAt(policy, ['spec', 'rules', index]));
    }
  }
  const origin = context.mtls.object === undefined ? undefined : originAt(context.mtls.object);
  return { name: VIRTUAL_INBOUND_LISTENER, message, origin, details };
}

/** A connection to the listener's own port would come back to it for ever. */
function ownPortChain(): FilterChain {
  return create(FilterChainSchema, {
    name: 'virtualInbound-blackhole',
    filterChainMatch: { destinationPort: INBOUND_PORT },
    filters: [tcpProxy(BLACK_HOLE_CLUSTER, BLACK_HOLE_CLUSTER)],
  });
}

/** Ports that no service declares: the workload's mode, and the ports for which PeerAuthentication says another one. */
function otherPorts({ mtls, served }: TranslationContext): readonly PortChains[] {
  const declared = new Set(served.map((port) => port.targetPort));
  const special = [...mtls.byPort].filter(([port]) => !declared.has(port));
  return [[undefined, mtls.mode] as const, ...special].map(([destinationPort, mode]) => ({
    protocol: 'auto',
    mode,
    destinationPort,
    name: (kind) => (kind === 'http' ? 'virtualInbound-catchall-http' : 'virtualInbound'),
    statPrefix: INBOUND_PASSTHROUGH_CLUSTER,
    route: { cluster: INBOUND_PASSTHROUGH_CLUSTER, servicePort: 0, operation: ':0/*', grpc: false },
  }));
}

function servedChains({ mtls, served }: TranslationContext): readonly PortChains[] {
  const seen = new Set<number>();
  return served.flatMap(({ service, port, targetPort }) => {
    if (seen.has(targetPort)) return [];
    seen.add(targetPort);
    return [
      {
        protocol: port.protocol,
        mode: mtlsOfPort(mtls, targetPort),
        destinationPort: targetPort,
        name: () => `0.0.0.0_${targetPort}`,
        statPrefix: `inbound_0.0.0.0_${targetPort}`,
        route: {
          cluster: inboundClusterName(targetPort),
          servicePort: port.number,
          operation: `${service.host}:${port.number}/*`,
          grpc: port.protocol === 'grpc',
        },
      },
    ];
  });
}

function portChains(
  context: TranslationContext,
  port: PortChains,
  authorization: Authorization,
): readonly FilterChain[] {
  return chainMatches(port.protocol, port.mode).map((match) => {
    const chain = create(FilterChainSchema, {
      name: port.name(match.kind),
      filterChainMatch: {
        transportProtocol: match.transport,
        applicationProtocols: [...match.alpn],
        ...(port.destinationPort === undefined ? {} : { destinationPort: port.destinationPort }),
      },
      ...(match.terminates ? { transportSocket: downstreamTls(match.kind, context.view.settings) } : {}),
    });
    chain.filters =
      match.kind === 'http' ? [httpFilters(context, port, chain, authorization)] : tcpFilters(port, authorization);
    return chain;
  });
}

function httpFilters(
  context: TranslationContext,
  port: PortChains,
  chain: FilterChain,
  authorization: Authorization,
): Filter {
  const filters = patchedFilters(context, [...authorization.http, ...standardFilters()], {
    direction: 'SIDECAR_INBOUND',
    listenerName: VIRTUAL_INBOUND_LISTENER,
    listenerPort: INBOUND_PORT,
    chain,
  });
  return inboundManager(port.statPrefix, inboundRoutes(port.route), filters);
}

function tcpFilters({ route }: PortChains, authorization: Authorization): Filter[] {
  return [...authorization.network, tcpProxy(route.cluster, route.cluster)];
}
