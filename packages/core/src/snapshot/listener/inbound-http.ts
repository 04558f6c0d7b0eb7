// The HTTP part of an inbound filter chain: filters, routes, path normalisation, client certificate forwarding.
import {
  type HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails as ForwardCert,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type RouteConfiguration,
} from '@heddle/xds';
import type { CompileReport } from '../compile-report.js';
import type { InboundHttp } from '../inbound-snapshot.js';
import { CompiledRouteTable } from '../route/route-table.js';
import type { RoutePlan, RouteTable } from '../route-snapshot.js';
import { type FilterDeps, HttpFilterChain } from './http-filter-chain.js';

/** The RouteConfiguration of a name, decoded, with its version. */
export type RoutesByName = (
  name: string,
) => { readonly message: RouteConfiguration; readonly version: string } | undefined;

type Filters = NonNullable<ReturnType<InboundHttp['filtersFor']>>;

/** Routes by percentage are not rolled inbound: the share counts as taken from its middle. */
const MIDDLE = () => 0.5;

export function compileInboundHttp(
  manager: HttpConnectionManager,
  scope: string,
  version: string,
  routes: RoutesByName,
  deps: FilterDeps,
  path: string,
  report: CompileReport,
): InboundHttp {
  const place = { scope, direction: 'inbound' } as const;
  const chain = new HttpFilterChain(manager.httpFilters, place, deps, `${path}.http_filters`, report);
  const table = tableOf(manager, version, chain, routes, deps, path, report);
  const byPlan = new WeakMap<RoutePlan, Filters>();
  return {
    statPrefix: manager.statPrefix,
    filters: chain.base,
    filtersFor(head) {
      const plan = table?.virtualHost(head.authority)?.match(head, MIDDLE);
      if (plan === undefined) return undefined;
      let filters = byPlan.get(plan);
      if (filters === undefined) byPlan.set(plan, (filters = filtersOf(plan)));
      return filters;
    },
    normalizePath: manager.normalizePath ?? false,
    mergeSlashes: manager.mergeSlashes,
    escapedSlashes: escapedSlashesOf(manager.pathWithEscapedSlashesAction),
    forwardClientCert: forwardCertOf(manager.forwardClientCertDetails),
  };
}

function filtersOf(plan: RoutePlan): Filters {
  const timeoutMs = plan.action.kind === 'forward' ? plan.action.timeoutMs : 0;
  return { routeName: plan.routeName, filters: plan.filters, timeoutMs };
}

function tableOf(
  manager: HttpConnectionManager,
  version: string,
  chain: HttpFilterChain,
  routes: RoutesByName,
  deps: FilterDeps,
  path: string,
  report: CompileReport,
): RouteTable | undefined {
  const specifier = manager.routeSpecifier;
  switch (specifier.case) {
    case 'routeConfig': {
      const table = new CompiledRouteTable(specifier.value, version, chain, report);
      // Overrides of security filters sit in the routes: they are compiled now, so that a bad one refuses the listener.
      table.check(report, deps);
      return table;
    }
    case 'rds': {
      const found = routes(specifier.value.routeConfigName);
      return found === undefined ? undefined : new CompiledRouteTable(found.message, found.version, chain, report);
    }
    case 'scopedRoutes':
      report.fault(`${path}.scoped_routes`, 'is not supported');
      return undefined;
    case undefined:
      report.fault(path, 'route_specifier: must be set');
      return undefined;
  }
}

function escapedSlashesOf(action: EscapedSlashes): InboundHttp['escapedSlashes'] {
  switch (action) {
    case EscapedSlashes.IMPLEMENTATION_SPECIFIC_DEFAULT:
    case EscapedSlashes.KEEP_UNCHANGED:
      return 'keep';
    case EscapedSlashes.REJECT_REQUEST:
      return 'reject';
    case EscapedSlashes.UNESCAPE_AND_REDIRECT:
      return 'unescape-redirect';
    case EscapedSlashes.UNESCAPE_AND_FORWARD:
      return 'unescape-forward';
  }
}

function forwardCertOf(details: ForwardCert): InboundHttp['forwardClientCert'] {
  switch (details) {
    case ForwardCert.SANITIZE:
      return 'sanitize';
    case ForwardCert.FORWARD_ONLY:
      return 'forward-only';
    case ForwardCert.APPEND_FORWARD:
      return 'append-forward';
    case ForwardCert.SANITIZE_SET:
      return 'sanitize-set';
    case ForwardCert.ALWAYS_FORWARD_ONLY:
      return 'always-forward-only';
  }
}
