// What a rule does with a request: forward, redirect or answer (Istio: TranslateRoute, applyHTTPRouteDestination).
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  RedirectActionSchema,
  RedirectAction_RedirectResponseCode as RedirectCode,
  type Route,
  type RouteAction,
  RouteActionSchema,
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  type RouteAction_RequestMirrorPolicy,
  RouteAction_RequestMirrorPolicySchema,
  RouteSchema,
  create,
} from '@heddle/xds';
import type {
  Destination,
  HttpRuleSpec,
  PercentSpec,
  RedirectSpec,
  WeightedDestination,
} from '../../view/spec/istio.js';
import { durationOf, durationOfMs, hundredth, millionth } from '../wire.js';
import { type RouteScope, destinationCluster, destinationHash } from './destination.js';
import { headerOperations } from './header-operations.js';
import { retryPolicy } from './retry-policy.js';

export function redirectAction(spec: RedirectSpec, listenerPort: number): Route['action'] {
  const redirect = create(RedirectActionSchema, {
    hostRedirect: spec.authority ?? '',
    pathRewriteSpecifier:
      spec.prefixRewrite === undefined
        ? { case: 'pathRedirect', value: spec.uri ?? '' }
        : { case: 'prefixRewrite', value: spec.prefixRewrite },
    portRedirect: redirectPort(spec, listenerPort),
    responseCode: REDIRECT_CODES.get(spec.redirectCode ?? 301) ?? RedirectCode.MOVED_PERMANENTLY,
  });
  if (spec.scheme !== undefined) redirect.schemeRewriteSpecifier = { case: 'schemeRedirect', value: spec.scheme };
  return { case: 'redirect', value: redirect };
}

const REDIRECT_CODES: ReadonlyMap<number, RedirectCode> = new Map([
  [301, RedirectCode.MOVED_PERMANENTLY],
  [302, RedirectCode.FOUND],
  [303, RedirectCode.SEE_OTHER],
  [307, RedirectCode.TEMPORARY_REDIRECT],
  [308, RedirectCode.PERMANENT_REDIRECT],
]);

/** 0 leaves the port out; the scheme's default port is never spelled. */
function redirectPort(spec: RedirectSpec, listenerPort: number): number {
  const port = spec.port ?? (spec.derivePort === 'FROM_REQUEST_PORT' ? listenerPort : 0);
  const scheme = spec.scheme ?? 'http';
  return (port === 80 && scheme === 'http') || (port === 443 && scheme === 'https') ? 0 : port;
}

export function directResponseAction(response: NonNullable<HttpRuleSpec['directResponse']>): Route['action'] {
  const { status = 0, body } = response;
  const specifier =
    body?.bytes !== undefined
      ? ({ case: 'inlineBytes', value: Buffer.from(body.bytes, 'base64') } as const)
      : ({ case: 'inlineString', value: body?.string ?? '' } as const);
  return create(RouteSchema, {
    action: { case: 'directResponse', value: { status, ...(body === undefined ? {} : { body: { specifier } }) } },
  }).action;
}

/** Fills in the forwarding of `route`; `gateway` is true for rules that come from Gateway API. */
export function applyForwarding(route: Route, rule: HttpRuleSpec, scope: RouteScope, gateway: boolean): void {
  const action = create(RouteActionSchema);
  const timeout = durationOf(rule.timeout) ?? durationOfMs(0);
  action.timeout = timeout;
  action.maxGrpcTimeout = timeout;
  if (gateway) action.clusterNotFoundResponseCode = NotFoundCode.INTERNAL_SERVER_ERROR;
  applyRewrite(action, rule, route, gateway);
  action.requestMirrorPolicies = mirrors(rule, scope);
  const destinations = rule.route ?? [];
  const single = destinations.length === 1 ? destinations[0] : undefined;
  const hashed =
    single === undefined ? applyWeights(action, destinations, scope) : applySingle(action, route, single, scope);
  const retry = retryPolicy(rule.retries, hashed);
  if (retry !== undefined) action.retryPolicy = retry;
  route.action = { case: 'route', value: action };
}

function applyRewrite(action: RouteAction, rule: HttpRuleSpec, route: Route, gateway: boolean): void {
  const { rewrite } = rule;
  const authority = rewrite?.authority ?? headerOperations(rule.headers).authority;
  if (authority !== undefined && authority !== '')
    action.hostRewriteSpecifier = { case: 'hostRewriteLiteral', value: authority };
  const regex = rewrite?.uriRegexRewrite;
  if (regex !== undefined) applyRegexRewrite(action, regex.match ?? '', regex.rewrite ?? '');
  else if (gateway && rewrite?.uri === '/') {
    const path = route.match?.pathSpecifier;
    const prefix = path?.case === 'pathSeparatedPrefix' ? path.value : '';
    // Replacing a prefix by "/" must not leave "//" or nothing behind.
    applyRegexRewrite(action, `^${quoteRegex(prefix)}(/?)(.*)`, '/\\2');
  } else if (rewrite?.uri !== undefined && rewrite.uri !== '') action.prefixRewrite = rewrite.uri;
}

function applyRegexRewrite(action: RouteAction, regex: string, substitution: string): void {
  action.regexRewrite = create(RouteActionSchema, { regexRewrite: { pattern: { regex }, substitution } }).regexRewrite;
}

export function quoteRegex(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function mirrors(rule: HttpRuleSpec, scope: RouteScope): RouteAction_RequestMirrorPolicy[] {
  const percent = rule.mirrorPercent ?? rule.mirror_percent ?? undefined;
  const old = rule.mirrorPercentage ?? (percent === undefined ? undefined : { value: percent });
  return [
    ...(rule.mirror === undefined ? [] : mirror(rule.mirror, old, scope)),
    ...(rule.mirrors ?? []).flatMap((entry) =>
      entry.destination === undefined ? [] : mirror(entry.destination, entry.percentage, scope),
    ),
  ];
}

function mirror(destination: Destination, percentage: PercentSpec | undefined, scope: RouteScope) {
  if (percentage !== undefined && (percentage.value ?? 0) <= 0) return [];
  return [
    create(RouteAction_RequestMirrorPolicySchema, {
      cluster: destinationCluster(destination, scope),
      runtimeFraction: { defaultValue: percentage === undefined ? hundredth(100) : millionth(percentage.value ?? 0) },
      traceSampled: false,
      disableShadowHostSuffixAppend: true,
    }),
  ];
}

/** Returns whether the destination is picked by hash. */
function applySingle(action: RouteAction, route: Route, destination: WeightedDestination, scope: RouteScope): boolean {
  const target = destination.destination ?? {};
  action.clusterSpecifier = { case: 'cluster', value: destinationCluster(target, scope) };
  const operations = headerOperations(destination.headers);
  route.requestHeadersToAdd.push(...operations.requestHeadersToAdd);
  route.requestHeadersToRemove.push(...operations.requestHeadersToRemove);
  route.responseHeadersToAdd.push(...operations.responseHeadersToAdd);
  route.responseHeadersToRemove.push(...operations.responseHeadersToRemove);
  if (operations.authority !== undefined && action.hostRewriteSpecifier.case === undefined) {
    action.hostRewriteSpecifier = { case: 'hostRewriteLiteral', value: operations.authority };
  }
  const hash = destinationHash(target, scope);
  if (hash !== undefined) action.hashPolicy.push(hash);
  return hash !== undefined;
}

/** Weight 0 gets nothing and is left out. Retries of a split ignore hashing, as in Istio. */
function applyWeights(action: RouteAction, destinations: readonly WeightedDestination[], scope: RouteScope): boolean {
  const clusters = destinations
    .filter((entry) => (entry.weight ?? 0) > 0)
    .map((entry) => {
      const target = entry.destination ?? {};
      const { authority, ...operations } = headerOperations(entry.headers);
      const hash = destinationHash(target, scope);
      if (hash !== undefined) action.hashPolicy.push(hash);
      return {
        name: destinationCluster(target, scope),
        weight: entry.weight ?? 0,
        ...operations,
        ...(authority === undefined
          ? {}
          : { hostRewriteSpecifier: { case: 'hostRewriteLiteral' as const, value: authority } }),
      };
    });
  action.clusterSpecifier = create(RouteActionSchema, {
    clusterSpecifier: { case: 'weightedClusters', value: { clusters } },
  }).clusterSpecifier;
  return false;
}
