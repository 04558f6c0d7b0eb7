// The HTTP filters of a connection manager: compiled once as they stand, and again for every place that overrides one of them.
import { type Any, type HttpFilter as FilterMessage, ROUTER_TYPE_URL, effectiveTypeUrl } from '@heddle/xds';
import type { Clock } from '../../clock.js';
import type { FilterBuild, FilterKind, FilterStateStore, HttpFilter } from '../../filters/http-filter.js';
import type { CompileReport } from '../compile-report.js';
import { ISTIO_HTTP_FILTERS, isSecurityFilter } from './known-filters.js';

/** What filters are compiled with. */
export interface FilterDeps {
  readonly filterKinds: readonly FilterKind[];
  readonly filterState: FilterStateStore;
  readonly clock: Clock;
}

interface ChainEntry {
  readonly name: string;
  readonly kind: FilterKind;
  readonly config: Any | undefined;
  readonly disabled: boolean;
  readonly path: string;
}

export type FilterOverrides = Readonly<Record<string, Any>>;

/** Overrides by filter name at one level: a weighted cluster, a route, a virtual host or a table. */
export interface OverrideLevel {
  readonly overrides: FilterOverrides;
  /**
   * Names the level in state keys. Envoy has one configuration object a level: what a virtual host overrides, its routes share (one token bucket for
   * all); what a route overrides is its own.
   */
  readonly scope: string;
}

/** Places that a state key must tell apart: `outbound/0.0.0.0_9080`. */
export interface ChainPlace {
  readonly scope: string;
  readonly direction: 'outbound' | 'inbound';
}

export class HttpFilterChain {
  /** The filters without any override. */
  readonly base: readonly HttpFilter[];
  readonly #entries: readonly ChainEntry[];

  constructor(
    messages: readonly FilterMessage[],
    private readonly place: ChainPlace,
    private readonly deps: FilterDeps,
    path: string,
    report: CompileReport,
  ) {
    this.#entries = messages.flatMap((message, index) => this.#resolve(message, `${path}[${index}]`, report));
    this.base = this.#compile([], '', deps.filterState, report);
  }

  /** The store that keeps what the filters of this chain remember. */
  get filterState(): FilterStateStore {
    return this.deps.filterState;
  }

  /** The filters with the given overrides, the most specific level first (it wins for each filter); the base list where none applies. */
  withOverrides(
    levels: readonly OverrideLevel[],
    state: FilterStateStore,
    path: string,
    report: CompileReport,
  ): readonly HttpFilter[] {
    const applies = this.#entries.some((entry) => levelOf(levels, entry.name) !== undefined);
    return applies ? this.#compile(levels, path, state, report) : this.base;
  }

  #compile(
    levels: readonly OverrideLevel[],
    overridePath: string,
    state: FilterStateStore,
    report: CompileReport,
  ): readonly HttpFilter[] {
    const filters: HttpFilter[] = [];
    for (const entry of this.#entries) {
      const level = levelOf(levels, entry.name);
      const override = overrideFor(entry, level?.overrides, overridePath, report);
      // Envoy: a filter that is disabled in the chain runs only where a route configures it.
      if (entry.disabled && override === undefined) continue;
      const overridden = override !== undefined && level !== undefined;
      const at = overridden ? `${overridePath}.typed_per_filter_config[${entry.name}]` : entry.path;
      const scope = overridden ? `${this.place.scope}/${level.scope}` : this.place.scope;
      const build = buildOf(entry.name, scope, this.place.direction, { ...this.deps, filterState: state }, at, report);
      const filter = report.attempt(at, () => entry.kind.compile(entry.config, override, build));
      if (filter !== undefined) filters.push(filter);
    }
    return filters;
  }

  #resolve(message: FilterMessage, path: string, report: CompileReport): ChainEntry[] {
    const config = message.configType.case === 'typedConfig' ? message.configType.value : undefined;
    const typeUrl = config === undefined ? '' : effectiveTypeUrl(config);
    if (typeUrl === ROUTER_TYPE_URL || ISTIO_HTTP_FILTERS.has(message.name) || ISTIO_HTTP_FILTERS.has(typeUrl))
      return [];
    const kind = this.deps.filterKinds.find((known) => known.typeUrl === typeUrl);
    if (kind !== undefined) return [{ name: message.name, kind, config, disabled: message.disabled, path }];
    if (this.place.direction === 'inbound' && !message.isOptional && isSecurityFilter(message.name, typeUrl))
      report.fault(
        path,
        `the filter ${message.name} (${typeUrl}) enforces policy and is not known: refusing to run without it`,
      );
    else report.ignored(path, `the filter ${message.name} (${typeUrl}) is not run`);
    return [];
  }
}

/** The most specific level that overrides a filter (Envoy: mostSpecificPerFilterConfig). */
function levelOf(levels: readonly OverrideLevel[], name: string): OverrideLevel | undefined {
  return levels.find(({ overrides }) => Object.hasOwn(overrides, name));
}

/** The override of a filter, if it is of a type that the filter takes; another type is a fault for security filters and reported for the rest. */
function overrideFor(
  entry: ChainEntry,
  overrides: FilterOverrides | undefined,
  path: string,
  report: CompileReport,
): Any | undefined {
  const override = overrides?.[entry.name];
  if (override === undefined || entry.kind.perRouteTypeUrls.includes(effectiveTypeUrl(override))) return override;
  const at = `${path}.typed_per_filter_config[${entry.name}]`;
  const reason = `${effectiveTypeUrl(override)} is no override of this filter`;
  if (entry.kind.security) report.fault(at, reason);
  else report.ignored(at, reason);
  return undefined;
}

function buildOf(
  name: string,
  scope: string,
  direction: 'outbound' | 'inbound',
  deps: FilterDeps,
  path: string,
  report: CompileReport,
): FilterBuild {
  return {
    name,
    scope,
    direction,
    clock: deps.clock,
    state: deps.filterState,
    unsupported: (field, consequence) => report.ignored(`${path}${field.replace(/^\$/, '')}`, consequence),
  };
}

/** Checks overrides where the filter chain is not known (a RouteConfiguration by itself): each must compile as an override of its kind. */
export function checkOverrides(
  overrides: FilterOverrides,
  deps: FilterDeps,
  path: string,
  report: CompileReport,
): void {
  for (const [name, any] of Object.entries(overrides)) {
    const typeUrl = effectiveTypeUrl(any);
    const kind = deps.filterKinds.find((known) => known.perRouteTypeUrls.includes(typeUrl));
    const at = `${path}.typed_per_filter_config[${name}]`;
    if (kind === undefined) {
      if (!ISTIO_HTTP_FILTERS.has(name)) report.ignored(at, `the override of ${name} (${typeUrl}) has no effect`);
      continue;
    }
    const build = buildOf(name, 'check', 'outbound', deps, at, report);
    report.attempt(at, () => kind.compile(undefined, any, build));
  }
}
