// One route of a virtual host: its compiled match, and its plan, compiled when the first request takes it.
import type { Route, RouteAction_RequestMirrorPolicy, RetryPolicy } from '@heddle/xds';
import type { HttpFilter } from '../../filters/http-filter.js';
import { compileDirectResponse } from '../action/direct-response.js';
import { type ForwardContext, compileForward } from '../action/forward-action.js';
import { compileRedirect } from '../action/redirect-action.js';
import type { CompileReport } from '../compile-report.js';
import { type HeaderLevel, mergeHeaderLevels } from '../format/header-operations.js';
import type { OverrideLevel } from '../listener/http-filter-chain.js';
import type { ForwardAction, HeaderOperations, RoutePlan } from '../route-snapshot.js';
import { type CompiledMatch, compileRouteMatch } from './route-match.js';

/** What the routes of a virtual host share. */
export interface RouteScope {
  readonly tableName: string;
  readonly virtualHostName: string;
  /** Header levels of virtual host and table, in this order. */
  readonly headerLevels: (direction: 'request' | 'response') => readonly HeaderLevel[];
  readonly mostSpecificHeadersWin: boolean;
  readonly retryPolicy: RetryPolicy | undefined;
  readonly mirrors: readonly RouteAction_RequestMirrorPolicy[];
  readonly maxDirectBodyBytes: number;
  /** True where calls tell their attempt (include_request_attempt_count), and answers the attempts that they took. */
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  /** Filters with the overrides of these levels, the most specific first, and of virtual host and table. */
  readonly filtersFor: (levels: readonly OverrideLevel[], path: string, report: CompileReport) => readonly HttpFilter[];
}

export class RouteEntry {
  readonly match: CompiledMatch;
  #plan: RoutePlan | undefined;

  /** `stateName` tells the route apart from the others of its virtual host, across versions where it has a name of its own. */
  constructor(
    private readonly route: Route,
    private readonly index: number,
    private readonly stateName: string,
    private readonly scope: RouteScope,
    private readonly path: string,
    report: CompileReport,
  ) {
    this.match = compileRouteMatch(route.match, `${path}.match`, report);
  }

  get name(): string {
    return this.route.name === '' ? `routes[${this.index}]` : this.route.name;
  }

  /** The plan, compiled once. A route that can not be compiled answers 500: its resource should have been refused before it got here. */
  planWith(report: CompileReport): RoutePlan {
    return (this.#plan ??= this.compile(report));
  }

  /** Compiles the plan without keeping it (checks of a resource that may be refused). */
  compile(report: CompileReport): RoutePlan {
    const { route, path, scope } = this;
    const before = report.faults.length;
    const action = this.#action(report);
    const plan: RoutePlan = {
      routeName: this.name,
      virtualHostName: scope.virtualHostName,
      tableName: scope.tableName,
      index: this.index,
      action,
      filters: scope.filtersFor([this.#overrides], path, report),
      requestHeaders: this.#headers('request', report),
      responseHeaders: this.#headers('response', report),
      sourceObject: sourceObject(route),
    };
    return report.faults.length === before
      ? plan
      : { ...plan, action: { kind: 'direct-response', status: 500, body: '' } };
  }

  get #overrides(): OverrideLevel {
    const scope = `${this.scope.tableName}/${this.scope.virtualHostName}/${this.stateName}`;
    return { overrides: this.route.typedPerFilterConfig, scope };
  }

  get #isWeighted(): boolean {
    const { action } = this.route;
    return action.case === 'route' && action.value.clusterSpecifier.case === 'weightedClusters';
  }

  #action(report: CompileReport): RoutePlan['action'] {
    const { action } = this.route;
    const { path, scope } = this;
    switch (action.case) {
      case 'route':
        return compileForward(action.value, this.match.path, `${path}.route`, this.#forwardContext(report), report);
      case 'redirect':
        return compileRedirect(action.value, this.match.path, `${path}.redirect`, report);
      case 'directResponse':
        return compileDirectResponse(action.value, scope.maxDirectBodyBytes, `${path}.direct_response`, report);
      case 'nonForwardingAction':
        // An inbound route of a gRPC server: the request goes to the application.
        return compileForwardNowhere();
      case 'filterAction':
        report.fault(`${path}.filter_action`, 'is not supported');
        return { kind: 'direct-response', status: 500, body: '' };
      case undefined:
        report.fault(path, 'action: is required');
        return { kind: 'direct-response', status: 500, body: '' };
    }
  }

  #forwardContext(report: CompileReport): ForwardContext {
    const { route, scope } = this;
    const levels = (direction: 'request' | 'response') => [...scope.headerLevels(direction)].reverse();
    return {
      retryPolicy: scope.retryPolicy,
      mirrors: scope.mirrors,
      includeAttemptCount: scope.includeAttemptCount,
      includeAttemptCountInResponse: scope.includeAttemptCountInResponse,
      filtersFor: (overrides, entry, path) => {
        if (Object.keys(overrides).length === 0) return undefined;
        const ofRoute = this.#overrides;
        const ofEntry = { overrides, scope: `${ofRoute.scope}/clusters[${entry}]` };
        return scope.filtersFor([ofEntry, ofRoute], path, report);
      },
      before: (direction) =>
        scope.mostSpecificHeadersWin ? [...levels(direction), routeHeaders(route, direction, this.path)] : [],
    };
  }

  #headers(direction: 'request' | 'response', report: CompileReport): HeaderOperations | undefined {
    const { scope } = this;
    // Where the weighted clusters carry all levels (most specific wins), nothing is left for the route.
    if (scope.mostSpecificHeadersWin && this.#isWeighted) return undefined;
    const levels = [routeHeaders(this.route, direction, this.path), ...scope.headerLevels(direction)];
    return mergeHeaderLevels(scope.mostSpecificHeadersWin ? levels.reverse() : levels, report);
  }
}

function routeHeaders(route: Route, direction: 'request' | 'response', path: string): HeaderLevel {
  return direction === 'request'
    ? { add: route.requestHeadersToAdd, remove: route.requestHeadersToRemove, path: `${path}.request_headers` }
    : { add: route.responseHeadersToAdd, remove: route.responseHeadersToRemove, path: `${path}.response_headers` };
}

function compileForwardNowhere(): ForwardAction {
  return {
    kind: 'forward',
    clusters: { entries: [], totalWeight: 0 },
    clusterHeader: undefined,
    timeoutMs: 0,
    grpcTimeoutMs: undefined,
    idleTimeoutMs: undefined,
    retry: undefined,
    hostRewrite: undefined,
    hostRewriteFrom: undefined,
    rewritePath: undefined,
    mirrors: [],
    hash: undefined,
    includeAttemptCount: false,
    includeAttemptCountInResponse: false,
  };
}

/** istiod's `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews` as `virtual-service default/reviews`. */
function sourceObject(route: Route): string | undefined {
  const config = route.metadata?.filterMetadata['istio']?.['config'];
  if (typeof config !== 'string') return undefined;
  const match = /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(config);
  return match === null ? config : `${match[2] ?? ''} ${match[1] ?? ''}/${match[3] ?? ''}`;
}
