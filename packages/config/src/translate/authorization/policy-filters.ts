// AuthorizationPolicies of a workload -> RBAC filters, in Istio's order: CUSTOM, AUDIT, DENY, ALLOW (authz/builder).
import {
  type HttpFilter,
  HttpFilterSchema,
  HttpRbacSchema,
  type Filter,
  FilterSchema,
  NetworkRbacSchema,
  type Policy,
  PolicySchema,
  RBAC_Action,
  type RBAC,
  RBACSchema,
  create,
  packAny,
} from '@heddle/xds';
import type { ConfigObject } from '../../model/config-object.js';
import type { AuthorizationPolicySpec, AuthorizationRuleSpec } from '../../view/spec/authorization.js';
import { anyPermission, notPermission } from './permissions.js';
import { anyPrincipal, notPrincipal } from './principals.js';
import { type RuleContext, UncheckableRule, rulePolicy } from './rule-policy.js';
import type { TrustDomains } from './trust-domains.js';

export const HTTP_RBAC_FILTER = 'envoy.filters.http.rbac';
export const NETWORK_RBAC_FILTER = 'envoy.filters.network.rbac';

export interface PolicyInputs {
  /** Oldest first; only those that select the workload. */
  readonly policies: readonly ConfigObject[];
  readonly trust: TrustDomains;
}

type PolicyAction = 'CUSTOM' | 'AUDIT' | 'DENY' | 'ALLOW';

interface RuleSets {
  readonly rules: RBAC | undefined;
  /** From policies with the dry-run annotation: evaluated and reported, never enforced. */
  readonly shadowRules: RBAC | undefined;
  readonly shadowRulesStatPrefix: string;
}

export function httpPolicyFilters(inputs: PolicyInputs): readonly HttpFilter[] {
  return ruleSets(inputs, false).map((sets) =>
    create(HttpFilterSchema, {
      name: HTTP_RBAC_FILTER,
      configType: { case: 'typedConfig', value: packAny(HttpRbacSchema, present(sets)) },
    }),
  );
}

export function networkPolicyFilters(inputs: PolicyInputs): readonly Filter[] {
  return ruleSets(inputs, true).map((sets) =>
    create(FilterSchema, {
      name: NETWORK_RBAC_FILTER,
      configType: { case: 'typedConfig', value: packAny(NetworkRbacSchema, { ...present(sets), statPrefix: 'tcp.' }) },
    }),
  );
}

function present({ rules, shadowRules, shadowRulesStatPrefix }: RuleSets) {
  return {
    ...(rules === undefined ? {} : { rules }),
    ...(shadowRules === undefined ? {} : { shadowRules }),
    shadowRulesStatPrefix,
  };
}

const ORDER: readonly PolicyAction[] = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'];

function ruleSets(inputs: PolicyInputs, tcp: boolean): readonly RuleSets[] {
  return ORDER.flatMap((action) => {
    const policies = inputs.policies.filter((policy) => (specOf(policy).action ?? 'ALLOW') === action);
    return policies.length === 0 ? [] : [actionRules(policies, action, inputs, tcp)];
  });
}

const RBAC_ACTIONS = {
  CUSTOM: RBAC_Action.DENY,
  AUDIT: RBAC_Action.LOG,
  DENY: RBAC_Action.DENY,
  ALLOW: RBAC_Action.ALLOW,
};

function actionRules(
  policies: readonly ConfigObject[],
  action: PolicyAction,
  inputs: PolicyInputs,
  tcp: boolean,
): RuleSets {
  const enforced: Record<string, Policy> = {};
  const shadow: Record<string, Policy> = {};
  let [enforces, dryRuns] = [false, false];
  for (const policy of policies) {
    const dryRun = policy.metadata.annotations['istio.io/dry-run'] === 'true' && action !== 'CUSTOM';
    if (dryRun) dryRuns = true;
    else enforces = true;
    Object.assign(dryRun ? shadow : enforced, policyRules(policy, action, inputs, tcp));
  }
  const rbac = (named: Record<string, Policy>) => create(RBACSchema, { action: RBAC_ACTIONS[action], policies: named });
  return {
    rules: enforces ? rbac(enforced) : undefined,
    shadowRules: dryRuns ? rbac(shadow) : undefined,
    // istiod asks the action of the shadow rules, which is ALLOW where there are none.
    shadowRulesStatPrefix: dryRuns ? SHADOW_PREFIX[action] : 'istio_dry_run_allow_',
  };
}

const SHADOW_PREFIX = { CUSTOM: '', AUDIT: '', DENY: 'istio_dry_run_deny_', ALLOW: 'istio_dry_run_allow_' };

function policyRules(
  policy: ConfigObject,
  action: PolicyAction,
  inputs: PolicyInputs,
  tcp: boolean,
): Record<string, Policy> {
  const spec = specOf(policy);
  const { name, namespace } = policy.metadata;
  const provider = spec.provider?.name ?? '';
  const nameOf = (index: number) => {
    const rule = `ns[${namespace}]-policy[${name}]-rule[${index}]`;
    return action === 'CUSTOM'
      ? `istio-ext-authz-${provider === '' ? '' : `${provider}-`}${rule}-deny-due-to-bad-CUSTOM-action`
      : rule;
  };
  // No external authorizer can be called, so the name of the rule says that what it would decide is denied.
  const found: Record<string, Policy> = {};
  const rules = spec.rules ?? [];
  if (rules.length === 0) found[nameOf(0)] = matchesNothing();
  rules.forEach((rule, index) => {
    const made = rule === null ? undefined : ruleOrNothing(rule, { policy, action, inputs, tcp });
    if (made !== undefined) found[nameOf(index)] = made;
  });
  return found;
}

interface RulePlace {
  readonly policy: ConfigObject;
  readonly action: PolicyAction;
  readonly inputs: PolicyInputs;
  readonly tcp: boolean;
}

function ruleOrNothing(rule: AuthorizationRuleSpec, place: RulePlace): Policy | undefined {
  const { policy, action, inputs, tcp } = place;
  const context: RuleContext = { policyNamespace: policy.metadata.namespace, tcp, action, trust: inputs.trust };
  try {
    return rulePolicy(rule, context);
  } catch (error) {
    if (!(error instanceof UncheckableRule)) throw error;
    // The analyzer of AuthorizationPolicies reports the rule.
    // A DENY rule that cannot be read must not let anything through.
    return action === 'ALLOW' ? undefined : matchesEverything();
  }
}

function matchesNothing(): Policy {
  return create(PolicySchema, {
    permissions: [notPermission(anyPermission())],
    principals: [notPrincipal(anyPrincipal())],
  });
}

function matchesEverything(): Policy {
  return create(PolicySchema, { permissions: [anyPermission()], principals: [anyPrincipal()] });
}

function specOf(policy: ConfigObject): AuthorizationPolicySpec {
  return policy.spec;
}
