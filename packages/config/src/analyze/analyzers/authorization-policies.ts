// AuthorizationPolicies whose sources can never match (malformed principals, empty values), and rules that cannot be checked.
import type { FieldPath } from '../../model/config-object.js';
import type { AuthorizationPolicyRule } from '../../schema/gen/authorization-policy.js';
import { UncheckableRule, rulePolicy } from '../../translate/authorization/rule-policy.js';
import type { AuthorizationRuleSpec } from '../../view/spec/authorization.js';
import type { Analyzer } from '../analyzer.js';
import type { ObjectOf } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';

const principalFields = ['principals', 'notPrincipals'];

type Policy = ObjectOf<'AuthorizationPolicy'>;

export const authorizationPolicies: Analyzer = {
  name: 'authorization-policies',
  description: 'Principals and values that AuthorizationPolicies match',
  inputs: ['AuthorizationPolicy'],
  scope: 'object',
  analyze(view, report) {
    for (const object of view.all('AuthorizationPolicy')) {
      if (object.spec.action === 'CUSTOM')
        report(messages.customAuthorization, { object, path: ['spec', 'action'] }, {});
      object.spec.rules?.forEach((rule, index) => {
        const path = ['spec', 'rules', index];
        if (mayBeUncheckable(rule)) checkRule(object, rule as AuthorizationRuleSpec, path, report);
        rule.from?.forEach(({ source }, at) => checkLists(object, source, [...path, 'from', at, 'source'], report));
        rule.to?.forEach(({ operation }, at) =>
          checkLists(object, operation, [...path, 'to', at, 'operation'], report),
        );
      });
    }
  },
};

/** Fields of sources and operations whose values may be unreadable. */
const parsed = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks', 'ports', 'notPorts'];

/** Translating every rule once more, only to see whether it can be, would cost each start. */
function mayBeUncheckable({ from, to, when }: AuthorizationPolicyRule): boolean {
  if (when !== undefined) return true;
  const lists = [...(from ?? []).map(({ source }) => source), ...(to ?? []).map(({ operation }) => operation)];
  return lists.some((list) => Object.keys(list ?? {}).some((field) => parsed.includes(field)));
}

/** The rule as it is translated: what cannot be checked is left out of ALLOW, and matches everything elsewhere. */
function checkRule(object: Policy, rule: AuthorizationRuleSpec, path: FieldPath, report: Report): void {
  const action = object.spec.action ?? 'ALLOW';
  try {
    rulePolicy(rule, { policyNamespace: object.metadata.namespace, tcp: false, action, trust: NO_ALIASES });
  } catch (error) {
    if (!(error instanceof UncheckableRule)) throw error;
    const effect = action === 'ALLOW' ? 'the rule is left out' : 'the rule matches every request';
    report(messages.ruleDropped, { object, path }, { reason: error.message, effect });
  }
}

const NO_ALIASES = { trustDomain: 'cluster.local', aliases: [] };

function checkLists(object: Policy, lists: object | undefined, path: FieldPath, report: Report): void {
  for (const [field, values] of Object.entries(lists ?? {})) {
    // An unknown field may hold anything.
    if (!Array.isArray(values)) continue;
    for (const [entry, value] of (values as readonly unknown[]).entries()) {
      const place = { object, path: [...path, field, entry] };
      if (value === '') report(messages.emptyMatchValue, place, {});
      else if (typeof value === 'string' && principalFields.includes(field)) checkPrincipal(place, value, report);
    }
  }
}

// Istio: exact, prefix (`abc*`), suffix (`*abc`) and presence (`*`) matches.
function checkPrincipal(place: { object: Policy; path: FieldPath }, principal: string, report: Report): void {
  if (principal.startsWith('*') || principal.endsWith('*')) return;
  if (/^[^/]+\/ns\/[^/]+\/sa\/[^/]+$/.test(principal)) return;
  const bare = principal.startsWith('spiffe://') ? principal.slice('spiffe://'.length) : undefined;
  report(
    messages.badPrincipal,
    place,
    { principal },
    bare === undefined ? undefined : `write \`${bare}\` without the scheme`,
  );
}
