// The routes that the HTTP rules of one VirtualService give on one port (Istio: BuildHTTPRoutesForVirtualService).
import { type Route, RouteSchema, create, parseClusterName } from '@heddle/xds';
import type { ConfigObject } from '../../model/config-object.js';
import type { HttpMatchSpec, HttpRuleSpec } from '../../view/spec/istio.js';
import { selects } from '../../view/workload-instances.js';
import type { TranslationContext } from '../context.js';
import { istioMetadata } from '../wire.js';
import type { RouteScope } from './destination.js';
import { headerOperations } from './header-operations.js';
import { applyForwarding, directResponseAction, redirectAction } from './http-action.js';
import { filtersPerRoute } from './http-filters-per-route.js';
import { isCatchAll, routeMatch } from './http-match.js';
import type { ConfigOrigin } from '@heddle/xds';
import { originAt } from '../translated.js';

/** HTTP rules for some hosts, from a VirtualService or from HTTPRoutes. */
export interface RuleSet {
  /** Name that Istio gives it in traces. */
  readonly name: string;
  readonly namespace: string;
  readonly hosts: readonly string[];
  /** `metadata.filter_metadata.istio.config` of its routes. */
  readonly configPath: string;
  readonly gateway: boolean;
  /** Where its hosts were written. */
  readonly origin: ConfigOrigin;
  readonly rules: readonly SourcedRule[];
  /** Values whose identity says whether the rule set is still the same. */
  readonly sources: readonly unknown[];
}

export interface SourcedRule {
  readonly rule: HttpRuleSpec;
  readonly object: ConfigObject;
  readonly path: readonly (string | number)[];
}

export interface OriginatedRoute {
  readonly route: Route;
  readonly origin: ConfigOrigin;
}

export function ruleSetRoutes(
  set: RuleSet,
  listenerPort: number,
  context: TranslationContext,
): readonly OriginatedRoute[] {
  const scope = { context, namespace: set.namespace, listenerPort };
  const routes: OriginatedRoute[] = [];
  for (const sourced of set.rules) {
    const { rule } = sourced;
    const matches = rule.match === undefined || rule.match.length === 0 ? [undefined] : rule.match;
    for (const match of matches) {
      if (match !== undefined && !applies(match, listenerPort, context)) continue;
      const route = ruleRoute(sourced, match, set, scope);
      if (route === undefined) continue;
      routes.push({ route, origin: originAt(sourced.object, sourced.path) });
      // Nothing behind a route that takes everything can be reached.
      if (route.match !== undefined && isCatchAll(route.match)) return routes;
    }
  }
  return routes;
}

/** Whether a match is meant for this port and this caller. */
function applies(match: HttpMatchSpec, listenerPort: number, { workload }: TranslationContext): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== listenerPort) return false;
  if (match.gateways !== undefined && match.gateways.length > 0) return match.gateways.includes('mesh');
  if (!selects(match.sourceLabels, workload.labels)) return false;
  return (
    match.sourceNamespace === undefined || match.sourceNamespace === '' || match.sourceNamespace === workload.namespace
  );
}

function ruleRoute(
  { rule }: SourcedRule,
  match: HttpMatchSpec | undefined,
  set: RuleSet,
  scope: RouteScope,
): Route | undefined {
  if (rule.delegate !== undefined) return undefined;
  const name = [rule.name ?? '', ...(match?.name === undefined || match.name === '' ? [] : [match.name])].join('.');
  const operations = headerOperations(rule.headers);
  const route = create(RouteSchema, {
    name,
    match: routeMatch(match, set.gateway),
    metadata: istioMetadata({ config: set.configPath }),
    requestHeadersToAdd: operations.requestHeadersToAdd,
    requestHeadersToRemove: operations.requestHeadersToRemove,
    responseHeadersToAdd: operations.responseHeadersToAdd,
    responseHeadersToRemove: operations.responseHeadersToRemove,
    statPrefix: match?.statPrefix ?? '',
  });
  if (rule.redirect !== undefined) route.action = redirectAction(rule.redirect, scope.listenerPort);
  else if (rule.directResponse !== undefined) route.action = directResponseAction(rule.directResponse);
  else applyForwarding(route, rule, scope, set.gateway);
  route.typedPerFilterConfig = filtersPerRoute(rule);
  route.decorator = create(RouteSchema, {
    decorator: { operation: operationOf(route, set.name, scope.listenerPort) },
  }).decorator;
  return route;
}

/** `HOST:PORT/PATH` for traces; the rule set's name where several clusters may answer. */
function operationOf(route: Route, name: string, listenerPort: number): string {
  const action = route.action.case === 'route' ? route.action.value.clusterSpecifier : undefined;
  const cluster = action?.case === 'cluster' ? parseClusterName(action.value) : undefined;
  const place = cluster === undefined ? `${name}:${listenerPort}` : `${cluster.host}:${cluster.port}`;
  return place + pathText(route);
}

function pathText(route: Route): string {
  const path = route.match?.pathSpecifier;
  if (path?.case === 'prefix') return `${path.value}*`;
  if (path?.case === 'path') return path.value;
  return path?.case === 'safeRegex' ? path.value.regex : '/*';
}
