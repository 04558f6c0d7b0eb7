// The HTTP part of an inbound filter chain: filters, routes, path normalisation, client certificate forwarding.
import { type HttpConnectionManager, HttpConnectionManager_ForwardClientCertDetails as ForwardCert } from '@heddle/xds';
import type { CompileReport } from '../compile-report.js';
import { finish } from '../compile-steps.js';
import type { InboundHttp, InboundRoute } from '../inbound-snapshot.js';
import { CompiledRouteTable } from '../route/route-table.js';
import { type TableSource, decodedSource } from '../route/table-source.js';
import type { RoutePlan, RouteTable } from '../route-snapshot.js';
import { type FilterDeps, HttpFilterChain } from './http-filter-chain.js';
import { pathOptionsOf } from './path-options.js';

/** The RouteConfiguration of a name, with its version. */
export type RoutesByName = (name: string) => { readonly source: TableSource; readonly version: string } | undefined;

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
  const byPlan = new WeakMap<RoutePlan, InboundRoute>();
  return {
    statPrefix: manager.statPrefix,
    filters: chain.base,
    filtersFor(head) {
      const plan = table?.virtualHost(head.authority)?.match(head, MIDDLE);
      if (plan === undefined) return undefined;
      let route = byPlan.get(plan);
      if (route === undefined) byPlan.set(plan, (route = routeOf(plan)));
      return route;
    },
    ...pathOptionsOf(manager),
    forwardClientCert: forwardCertOf(manager.forwardClientCertDetails),
    remoteAddress: remoteAddressOf(manager),
    host: hostRulesOf(manager),
  };
}

/** Envoy: without use_remote_address its own XFF detection runs, which never appends. */
function remoteAddressOf(manager: HttpConnectionManager): InboundHttp['remoteAddress'] {
  const useRemoteAddress = manager.useRemoteAddress ?? false;
  return {
    useRemoteAddress,
    trustedHops: manager.xffNumTrustedHops,
    skipAppend: manager.skipXffAppend || !useRemoteAddress,
  };
}

function hostRulesOf(manager: HttpConnectionManager): InboundHttp['host'] {
  const any = manager.stripPortMode.case === 'stripAnyHostPort' && manager.stripPortMode.value;
  const stripPort = any ? 'any' : manager.stripMatchingHostPort ? 'matching' : 'none';
  if (stripPort === 'none' && !manager.stripTrailingHostDot) return undefined;
  return { stripPort, stripTrailingDot: manager.stripTrailingHostDot };
}

function routeOf({ routeName, filters, action }: RoutePlan): InboundRoute {
  if (action.kind !== 'forward') return { routeName, filters, timeoutMs: 0 };
  return { routeName, filters, timeoutMs: action.timeoutMs, cluster: action.clusters.entries[0]?.name };
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
  const filters = { chain, state: chain.filterState };
  const specifier = manager.routeSpecifier;
  switch (specifier.case) {
    case 'routeConfig': {
      const table = new CompiledRouteTable(decodedSource(specifier.value), version, filters, report);
      // Overrides of security filters sit in the routes: they are compiled now, so that a bad one refuses the listener.
      finish(table.check(report, deps));
      return table;
    }
    case 'rds': {
      const found = routes(specifier.value.routeConfigName);
      if (found === undefined) return undefined;
      const table = new CompiledRouteTable(found.source, found.version, filters, report);
      // What its filters remember is known from here on, whichever routes are taken.
      table.compileAll();
      return table;
    }
    case 'scopedRoutes':
      report.fault(`${path}.scoped_routes`, 'is not supported');
      return undefined;
    case undefined:
      report.fault(path, 'route_specifier: must be set');
      return undefined;
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
