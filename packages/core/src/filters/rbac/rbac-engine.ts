// A compiled set of RBAC policies and its verdict (Envoy: RoleBasedAccessControlEngineImpl).
import { type Policy, type RBAC, RBAC_Action } from '@heddle/xds';
import { configFault, withPath } from '../filter-config.js';
import { compilePermissions, some } from './permission.js';
import { compilePrincipals } from './principal.js';
import type { RbacRequest, RbacSources, RbacTest, RuleScope } from './rbac-request.js';

export interface RbacVerdict {
  readonly allowed: boolean;
  /** The policy that matched first, in the order of names; undefined when none did. */
  readonly policy: string | undefined;
}

export interface RbacEngine {
  readonly action: 'allow' | 'deny' | 'log';
  readonly policyNames: readonly string[];
  decide(request: RbacRequest): RbacVerdict;
}

/** Compiles rules. Throws MeshError CONFIG_INVALID for any part that can't be enforced: nothing is left out of a security policy. */
export function compileRbac(rbac: RBAC, sources: RbacSources): RbacEngine {
  const action = actionOf(rbac.action);
  const scope: RuleScope = { sources, refusing: action === 'deny' };
  // Envoy: policies are evaluated in lexicographic order of their names.
  const names = Object.keys(rbac.policies).sort();
  const tests = names.map((name) =>
    withPath(`policies[${JSON.stringify(name)}]`, () => compilePolicy(rbac.policies[name], scope)),
  );
  // Verdicts are few and made once: every request gets one.
  const verdict = (policy: string | undefined): RbacVerdict => ({
    allowed: action === 'log' || (policy !== undefined) === (action === 'allow'),
    policy,
  });
  const matched = names.map(verdict);
  const unmatched = verdict(undefined);
  return {
    action,
    policyNames: names,
    decide(request) {
      for (let i = 0; i < tests.length; i++) if (tests[i]?.(request) === true) return matched[i] ?? unmatched;
      return unmatched;
    },
  };
}

function compilePolicy(policy: Policy | undefined, scope: RuleScope): RbacTest {
  if (policy === undefined) throw configFault('policy', 'must be set');
  if (policy.condition !== undefined || policy.checkedCondition !== undefined)
    throw configFault('condition', 'CEL conditions are not supported');
  const permitted = some(compilePermissions('permissions', policy.permissions, scope));
  const identified = some(compilePrincipals('principals', policy.principals, scope));
  return (request) => permitted(request) && identified(request);
}

function actionOf(action: RBAC_Action): RbacEngine['action'] {
  switch (action) {
    case RBAC_Action.ALLOW:
      return 'allow';
    case RBAC_Action.DENY:
      return 'deny';
    case RBAC_Action.LOG:
      return 'log';
    default:
      throw configFault('action', `${String(action)} is not known`);
  }
}

/** Envoy's RESPONSE_CODE_DETAILS of a refusal; white space would break access logs. */
export function denialDetails(policy: string | undefined): string {
  return `rbac_access_denied_matched_policy[${(policy ?? 'none').replace(/\s/g, '_')}]`;
}
