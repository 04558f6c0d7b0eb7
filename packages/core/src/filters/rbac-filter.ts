// Authorization of requests by RBAC policies (Envoy: envoy.filters.http.rbac).
import {
  type HttpRbac,
  HttpRbacPerRouteSchema,
  HttpRbacSchema,
  RBAC_PER_ROUTE_TYPE_URL,
  RBAC_TYPE_URL,
  type Any,
} from '@heddle/xds';
import { ERROR_KINDS } from '../errors.js';
import { configFault, unpackConfig, withPath } from './filter-config.js';
import type { FilterAction, FilterKind, FilterRequest, HttpFilter, ReplyAction } from './http-filter.js';
import { type RbacEngine, type RbacVerdict, compileRbac, denialDetails } from './rbac/rbac-engine.js';
import { PIPELINE_SOURCES } from './rbac/rbac-request.js';

export const rbacFilterKind: FilterKind = {
  typeUrl: RBAC_TYPE_URL,
  perRouteTypeUrls: [RBAC_PER_ROUTE_TYPE_URL],
  security: true,
  compile(config, override, build) {
    const rbac = effectiveConfig(config, override, build.name);
    if (rbac === undefined) return undefined;
    if (rbac.matcher !== undefined) throw configFault('matcher', 'the generic matcher API is not supported');
    if (rbac.shadowMatcher !== undefined)
      build.unsupported('$.shadow_matcher', 'the shadow policy is not evaluated; nothing is enforced by it');
    const { rules, shadowRules } = rbac;
    const engine = rules && withPath('rules', () => compileRbac(rules, PIPELINE_SOURCES));
    const shadow = shadowRules && withPath('shadow_rules', () => compileRbac(shadowRules, PIPELINE_SOURCES));
    if (engine === undefined && shadow === undefined) return undefined;
    return new RbacFilter(build.name, engine, shadow, rbac.shadowRulesStatPrefix);
  },
};

/** RBACPerRoute without `rbac` switches the filter off for its route (Envoy). */
function effectiveConfig(config: Any | undefined, override: Any | undefined, name: string): HttpRbac | undefined {
  if (override === undefined) return unpackConfig(HttpRbacSchema, config, name);
  return unpackConfig(HttpRbacPerRouteSchema, override, name)?.rbac;
}

class RbacFilter implements HttpFilter {
  readonly typeUrl = RBAC_TYPE_URL;

  constructor(
    readonly name: string,
    private readonly engine: RbacEngine | undefined,
    private readonly shadow: RbacEngine | undefined,
    private readonly shadowPrefix: string,
  ) {}

  decide(request: FilterRequest): FilterAction | undefined {
    const verdict = this.engine?.decide(request);
    if (verdict?.allowed === false) return denial(verdict.policy);
    if (this.shadow === undefined && this.engine?.action !== 'log') return undefined;
    return {
      kind: 'amend',
      setRequestHeaders: [],
      removeRequestHeaders: [],
      setResponseHeaders: [],
      dynamicMetadata: { ...this.#shadowMetadata(request), ...this.#logMetadata(verdict) },
    };
  }

  explain(request: FilterRequest): ReturnType<HttpFilter['explain']> {
    const verdict = this.engine?.decide(request);
    if (verdict === undefined || this.engine?.action === 'log')
      return { verdict: 'info', reason: 'no policy is enforced, only reported', policy: verdict?.policy };
    return {
      verdict: verdict.allowed ? 'chosen' : 'rejected',
      reason: explanation(this.engine?.action ?? 'log', verdict),
      policy: verdict.policy,
    };
  }

  /** Envoy: rbac filter, dynamic metadata `shadow_effective_policy_id` and `shadow_engine_result`. */
  #shadowMetadata(request: FilterRequest): Record<string, unknown> {
    const verdict = this.shadow?.decide(request);
    if (verdict === undefined) return {};
    const policy =
      verdict.policy === undefined ? {} : { [`${this.shadowPrefix}shadow_effective_policy_id`]: verdict.policy };
    return {
      'envoy.filters.http.rbac': {
        ...policy,
        [`${this.shadowPrefix}shadow_engine_result`]: verdict.allowed ? 'allowed' : 'denied',
      },
    };
  }

  /** A LOG action marks the request for the access log and never blocks. */
  #logMetadata(verdict: RbacVerdict | undefined): Record<string, unknown> {
    if (this.engine?.action !== 'log') return {};
    return { 'envoy.common': { access_log_hint: verdict?.policy !== undefined } };
  }
}

function explanation(action: RbacEngine['action'], { allowed, policy }: RbacVerdict): string {
  if (policy === undefined) return allowed ? 'no policy denies the request' : 'no policy allows the request';
  return `policy ${policy} ${action === 'deny' ? 'denies' : 'allows'} the request`;
}

function denial(policy: string | undefined): ReplyAction {
  const { httpStatus, grpcStatus, body, flag } = ERROR_KINDS.DENIED;
  return {
    kind: 'reply',
    code: 'DENIED',
    status: httpStatus,
    grpcStatus,
    headers: [],
    body,
    flag,
    details: denialDetails(policy),
    policy,
  };
}
