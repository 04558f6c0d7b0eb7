// The AuthorizationPolicies that hold for a workload: those of the root namespace and of its own whose selector it has.
import type { ConfigObject } from '../../model/config-object.js';
import type { AuthorizationPolicySpec } from '../../view/spec/authorization.js';
import { selects } from '../../view/workload-instances.js';
import type { TranslationContext } from '../context.js';
import type { PolicyInputs } from './policy-filters.js';

export function workloadPolicies({ view, workload }: TranslationContext): PolicyInputs {
  const { rootNamespace, trustDomain, trustDomainAliases } = view.settings;
  const rank = (policy: ConfigObject) => (policy.metadata.namespace === rootNamespace ? 0 : 1);
  const policies = view.authorizationPolicies.filter((policy) => {
    const { namespace } = policy.metadata;
    if (namespace !== rootNamespace && namespace !== workload.namespace) return false;
    const spec: AuthorizationPolicySpec = policy.spec;
    // Policies for gateways and waypoints name their target; a workload without either has nothing to do with them.
    if (spec.targetRef !== undefined || (spec.targetRefs ?? []).length > 0) return false;
    return selects(spec.selector?.matchLabels, workload.labels);
  });
  const trust = { trustDomain, aliases: trustDomainAliases };
  return { policies: [...policies].sort((a, b) => rank(a) - rank(b)), trust };
}
