// A compiled virtual host: the first route that takes a request, by index, and the same decision in words.
import { type VirtualHost, VirtualHost_TlsRequirementType as TlsRequirement } from '@heddle/xds';
import type { Draws } from '../../draws.js';
import type { ExplainStep } from '../../explain-types.js';
import { pathOnly } from '../../matching/path-matcher.js';
import type { RequestHead } from '../../request-head.js';
import { tlsRedirect } from '../action/redirect-action.js';
import type { CompileReport } from '../compile-report.js';
import type { RoutePlan, VirtualHostSnapshot } from '../route-snapshot.js';
import { type PathIndex, buildPathIndex } from './path-index.js';
import { RouteEntry, type RouteScope } from './route-entry.js';
import { whyNot } from './route-match.js';

const END = Number.MAX_SAFE_INTEGER;

export class CompiledVirtualHost implements VirtualHostSnapshot {
  readonly name: string;
  readonly #routes: readonly RouteEntry[];
  #index: PathIndex | undefined;
  readonly #tls: 'none' | 'external-only' | 'all';
  readonly #redirect: RoutePlan;

  constructor(
    message: VirtualHost,
    scope: RouteScope,
    path: string,
    private readonly report: CompileReport,
  ) {
    this.name = message.name;
    const taken = new Set<string>();
    this.#routes = message.routes.map((route, index) => {
      // istiod gives several routes of a virtual host the same name.
      const stateName = route.name === '' || taken.has(route.name) ? `${route.name}[${index}]` : route.name;
      taken.add(route.name);
      return new RouteEntry(route, index, stateName, scope, `${path}.routes[${index}]`, report);
    });
    this.#tls = tlsOf(message.requireTls);
    this.#redirect = redirectPlan(scope);
    if (message.matcher !== undefined) report.fault(`${path}.matcher`, 'the generic matcher API is not supported');
    for (const [index, cluster] of message.virtualClusters.entries())
      if (cluster.headers.length === 0)
        report.fault(`${path}.virtual_clusters[${index}]`, "virtual clusters must define 'headers'");
  }

  match(head: RequestHead, draw: Draws): RoutePlan | undefined {
    if (this.#tls !== 'none' && this.#mustRedirect(head)) return this.#redirect;
    const index = (this.#index ??= buildPathIndex(this.#routes.map((route) => route.match.path)));
    const indexed = index.candidates(head.path);
    return index.others.length === 0
      ? this.#firstOf(indexed, head, draw)
      : this.#firstOfBoth(indexed, index.others, head, draw);
  }

  #firstOf(indexed: readonly number[], head: RequestHead, draw: Draws): RoutePlan | undefined {
    for (const position of indexed) {
      const route = this.#routes[position];
      if (route !== undefined && holds(route, head, draw)) return route.planWith(this.report);
    }
    return undefined;
  }

  /** Both lists are in order of the configuration: the lower position goes first, whichever list it is in. */
  #firstOfBoth(
    indexed: readonly number[],
    others: readonly number[],
    head: RequestHead,
    draw: Draws,
  ): RoutePlan | undefined {
    const path = pathOnly(head.path);
    let a = 0;
    let b = 0;
    for (;;) {
      const nextIndexed = indexed[a] ?? END;
      const nextOther = others[b] ?? END;
      const fromIndex = nextIndexed < nextOther;
      const route = this.#routes[fromIndex ? nextIndexed : nextOther];
      if (route === undefined) return undefined;
      if (fromIndex) a++;
      else b++;
      if (!fromIndex && !route.match.path.test(path)) continue;
      if (holds(route, head, draw)) return route.planWith(this.report);
    }
  }

  explain(
    head: RequestHead,
    draw: Draws,
  ): { readonly plan: RoutePlan | undefined; readonly steps: readonly ExplainStep[] } {
    if (this.#tls !== 'none' && this.#mustRedirect(head)) {
      const reason = `the virtual host requires TLS (require_tls), came ${head.scheme}`;
      return { plan: this.#redirect, steps: [{ stage: 'route', subject: 'require_tls', verdict: 'chosen', reason }] };
    }
    const steps: ExplainStep[] = [];
    for (const [index, route] of this.#routes.entries()) {
      const reason = whyNot(route.match, head, draw);
      const facts = { index, virtualHost: this.name };
      if (reason === undefined) {
        steps.push({ stage: 'route', subject: route.name, verdict: 'chosen', reason: takenBecause(route), facts });
        return { plan: route.planWith(this.report), steps };
      }
      steps.push({ stage: 'route', subject: route.name, verdict: 'rejected', reason, facts });
    }
    return { plan: undefined, steps };
  }

  /** Compiles every plan once, for the faults and unsupported fields alone. */
  check(report: CompileReport): void {
    for (const route of this.#routes) route.compile(report);
  }

  /** Compiles every plan and keeps it. */
  compileAll(): void {
    for (const route of this.#routes) route.planWith(this.report);
  }

  /** Envoy: require_tls, where x-envoy-internal marks requests from inside. */
  #mustRedirect(head: RequestHead): boolean {
    if (head.scheme === 'https') return false;
    return this.#tls === 'all' || head.header('x-envoy-internal') !== 'true';
  }
}

function holds(route: RouteEntry, head: RequestHead, draw: Draws): boolean {
  const { conditions } = route.match;
  if (conditions === undefined) return true;
  for (const condition of conditions) if (!condition.holds(head, draw)) return false;
  return true;
}

function takenBecause(route: RouteEntry): string {
  const count = route.match.conditions?.length ?? 0;
  const rest = count === 0 ? '' : ` and ${count} further condition${count === 1 ? '' : 's'}`;
  return `the first route that takes it: ${route.match.path.text}${rest}`;
}

function tlsOf(requirement: TlsRequirement): 'none' | 'external-only' | 'all' {
  switch (requirement) {
    case TlsRequirement.NONE:
      return 'none';
    case TlsRequirement.EXTERNAL_ONLY:
      return 'external-only';
    case TlsRequirement.ALL:
      return 'all';
  }
}

function redirectPlan(scope: RouteScope): RoutePlan {
  return {
    routeName: 'require_tls',
    virtualHostName: scope.virtualHostName,
    tableName: scope.tableName,
    index: -1,
    action: tlsRedirect,
    filters: [],
    requestHeaders: undefined,
    responseHeaders: undefined,
    sourceObject: undefined,
  };
}
