// TCP and TLS rules of VirtualServices for a service port.
import type { ConfigObject } from '../../model/config-object.js';
import { hostCovers, resolveHost } from '../../view/host-names.js';
import type { MeshPort, MeshService } from '../../view/mesh-service.js';
import type { TcpRuleSpec, VirtualServiceSpec, WeightedDestination } from '../../view/spec/istio.js';
import { selects } from '../../view/workload-instances.js';
import type { TranslationContext } from '../context.js';

export interface TcpRoute {
  readonly object: ConfigObject;
  readonly path: readonly (string | number)[];
  readonly destinations: readonly WeightedDestination[];
  /** Server names of a TLS rule; empty for TCP rules. */
  readonly serverNames: readonly string[];
}

/** The rules for connections to this port, in order. TLS rules count only on TLS ports, TCP rules on every TCP port. */
export function tcpRoutes(context: TranslationContext, service: MeshService, port: MeshPort): readonly TcpRoute[] {
  const { scope, view } = context;
  return scope.virtualServices.flatMap((object) => {
    const spec = object.spec as VirtualServiceSpec;
    const hosts = (spec.hosts ?? []).map((host) =>
      resolveHost(host, object.metadata.namespace, view.settings.clusterDomain),
    );
    if (!hosts.some((host) => hostCovers(host, service.host))) return [];
    const tls = port.protocol === 'tls' || port.protocol === 'https' ? (spec.tls ?? []) : [];
    return [
      ...ruleRoutes(tls, 'tls', object, port, context),
      ...ruleRoutes(spec.tcp ?? [], 'tcp', object, port, context),
    ];
  });
}

function ruleRoutes(
  rules: readonly TcpRuleSpec[],
  kind: 'tcp' | 'tls',
  object: ConfigObject,
  port: MeshPort,
  context: TranslationContext,
): readonly TcpRoute[] {
  return rules.flatMap((rule, index) => {
    const matches = rule.match ?? [];
    const fitting = matches.filter((match) => applies(match, port, context));
    if (matches.length > 0 && fitting.length === 0) return [];
    const serverNames = fitting.flatMap((match) => match.sniHosts ?? []);
    return [{ object, path: ['spec', kind, index], destinations: rule.route ?? [], serverNames }];
  });
}

function applies(
  match: NonNullable<TcpRuleSpec['match']>[number],
  port: MeshPort,
  { workload }: TranslationContext,
): boolean {
  if (match.port !== undefined && match.port !== port.number) return false;
  if (match.gateways !== undefined && match.gateways.length > 0) return match.gateways.includes('mesh');
  return (
    selects(match.sourceLabels, workload.labels) && (match.sourceNamespace ?? workload.namespace) === workload.namespace
  );
}
