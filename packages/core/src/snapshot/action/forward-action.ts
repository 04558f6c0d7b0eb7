// Compiles a RouteAction into what a call needs: clusters, timeouts, retries, rewrites, mirrors, hash.
import type { RetryPolicy, RouteAction, RouteAction_RequestMirrorPolicy } from '@heddle/xds';
import { durationMs } from '../../filters/filter-config.js';
import { runtimeFraction } from '../../filters/fractional-percent.js';
import { headerKey } from '../../matching/header-matcher.js';
import type { CompiledPath } from '../../matching/path-matcher.js';
import type { CompileReport } from '../compile-report.js';
import type { ForwardAction, MirrorPlan } from '../route-snapshot.js';
import { compileHash } from './hash-policy.js';
import { checkHeaderValue } from './header-value.js';
import { compileHostRewrite } from './host-rewrite.js';
import { type PathRewrite, prefixRewrite, regexRewrite, templateRewrite } from './path-rewrite.js';
import { compileRetryPlan } from './retry-plan.js';
import { compileGrpcTimeout, totalTimeoutMs } from './route-timeout.js';
import { type EntryContext, checkClusterHeader, compileClusters } from './weighted-clusters.js';

/** What a route inherits from its virtual host and table. */
export interface ForwardContext extends EntryContext {
  readonly retryPolicy: RetryPolicy | undefined;
  readonly mirrors: readonly RouteAction_RequestMirrorPolicy[];
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
}

/** Compiles a forwarding action; faults are reported at `path`. */
export function compileForward(
  action: RouteAction,
  matched: CompiledPath,
  path: string,
  context: ForwardContext,
  report: CompileReport,
): ForwardAction {
  checkUpgrades(action, path, report);
  const policy = action.retryPolicy ?? context.retryPolicy;
  // Envoy: a route's own mirrors replace those of the virtual host and table.
  const mirrors = action.requestMirrorPolicies.length > 0 ? action.requestMirrorPolicies : context.mirrors;
  return {
    kind: 'forward',
    clusters: compileClusters(action.clusterSpecifier, path, context, report),
    clusterHeader:
      action.clusterSpecifier.case === 'clusterHeader' ? headerKey(action.clusterSpecifier.value) : undefined,
    timeoutMs: totalTimeoutMs(action),
    grpcTimeoutMs: compileGrpcTimeout(action),
    idleTimeoutMs: durationMs(action.idleTimeout),
    retry: policy === undefined ? undefined : compileRetryPlan(policy, `${path}.retry_policy`, report),
    ...compileHostRewrite(action.hostRewriteSpecifier, path, report),
    rewritePath: compilePathRewrite(action, matched, path, report),
    mirrors: mirrors.flatMap((mirror, index) =>
      compileMirror(mirror, `${path}.request_mirror_policies[${index}]`, report),
    ),
    hash: compileHash(action.hashPolicy, `${path}.hash_policy`, report),
    includeAttemptCount: context.includeAttemptCount,
    includeAttemptCountInResponse: context.includeAttemptCountInResponse,
  };
}

function compilePathRewrite(
  action: RouteAction,
  matched: CompiledPath,
  path: string,
  report: CompileReport,
): PathRewrite | undefined {
  const { prefixRewrite: prefix, regexRewrite: regex, pathRewritePolicy: policy } = action;
  if (Number(prefix !== '') + Number(regex !== undefined) + Number(policy !== undefined) > 1)
    report.fault(path, 'only one of prefix_rewrite, regex_rewrite and path_rewrite_policy may be set');
  checkHeaderValue(prefix, `${path}.prefix_rewrite`, report);
  if (prefix !== '') return prefixRewrite(matched, prefix);
  if (regex !== undefined) return report.attempt(`${path}.regex_rewrite`, () => regexRewrite(regex));
  if (policy !== undefined)
    return report.attempt(`${path}.path_rewrite_policy`, () => templateRewrite(matched, policy));
  return undefined;
}

function compileMirror(
  mirror: RouteAction_RequestMirrorPolicy,
  path: string,
  report: CompileReport,
): readonly MirrorPlan[] {
  const { cluster, clusterHeader } = mirror;
  if ((cluster === '') === (clusterHeader === '')) {
    report.fault(path, 'exactly one of cluster and cluster_header must be set');
    return [];
  }
  if (clusterHeader !== '') {
    checkClusterHeader(clusterHeader, `${path}.cluster_header`, report);
    report.ignored(`${path}.cluster_header`, 'calls are not mirrored to a cluster that a header names');
  }
  return cluster === '' ? [] : [{ cluster, fraction: runtimeFraction(mirror.runtimeFraction, 1) }];
}

/** Upgrades are passed on as the protocol allows; only what Envoy would refuse is looked at here. */
function checkUpgrades(action: RouteAction, path: string, report: CompileReport): void {
  const seen = new Set<string>();
  for (const [index, upgrade] of action.upgradeConfigs.entries()) {
    const at = `${path}.upgrade_configs[${index}]`;
    const type = upgrade.upgradeType.toLowerCase();
    if (seen.has(type)) report.fault(at, `duplicate upgrade ${upgrade.upgradeType}`);
    seen.add(type);
    if (upgrade.connectConfig !== undefined && type !== 'connect')
      report.fault(`${at}.connect_config`, `upgrade type ${upgrade.upgradeType} is not CONNECT`);
  }
  for (const [index, name] of (action.internalRedirectPolicy?.responseHeadersToCopy ?? []).entries())
    if (!/^[^:\0\r\n][^\0\r\n]*$/.test(name) || name.toLowerCase() === 'host')
      report.fault(
        `${path}.internal_redirect_policy.response_headers_to_copy[${index}]`,
        ':-prefixed headers or Host may not be copied',
      );
}
