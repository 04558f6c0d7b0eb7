// Which rule set holds for a host: VirtualServices and HTTPRoutes of the mesh, exact hosts before wildcards, older before newer.
import { isWildcard, mostSpecific, resolveHost } from '../../view/host-names.js';
import type { VirtualServiceSpec } from '../../view/spec/istio.js';
import type { TranslationContext } from '../context.js';
import { originAt } from '../translated.js';
import { configPath } from '../wire.js';
import { httpRouteRuleSets } from './http-route-rules.js';
import type { RuleSet } from './virtual-service-routes.js';

export interface HostRules {
  /** Every rule set with HTTP rules, in order of precedence. */
  readonly all: readonly RuleSet[];
  /** The rule sets for a service host, first one first; the next counts where an earlier one gives no route on the port. */
  for(host: string): readonly RuleSet[];
}

export function hostRulesOf(context: TranslationContext): HostRules {
  const all = [...httpRouteRuleSets(context), ...virtualServiceRuleSets(context)];
  const byHost = new Map<string, RuleSet[]>();
  for (const set of all) for (const host of set.hosts) byHost.set(host, [...(byHost.get(host) ?? []), set]);
  const wildcards = new Map([...byHost].filter(([host]) => isWildcard(host)));
  return { all, for: (host) => byHost.get(host) ?? mostSpecific(host, wildcards) ?? [] };
}

function virtualServiceRuleSets({ scope, view }: TranslationContext): readonly RuleSet[] {
  return scope.virtualServices.flatMap((object) => {
    const spec = object.spec as VirtualServiceSpec;
    const { name, namespace } = object.metadata;
    if (spec.http === undefined || spec.http.length === 0) return [];
    return [
      {
        name,
        namespace,
        hosts: (spec.hosts ?? []).map((host) => resolveHost(host, namespace, view.settings.clusterDomain)),
        configPath: configPath(object, 'virtual-service'),
        gateway: false,
        origin: originAt(object, ['spec', 'hosts']),
        rules: spec.http.map((rule, index) => ({ rule, object, path: ['spec', 'http', index] })),
        sources: [object],
      },
    ];
  });
}
