// EnvoyFilter patches on HTTP filters, applied in Istio's order: root namespace first, then by priority and age
// (Istio: envoyfilter/listener_patch.go). The analyzer of EnvoyFilters reports patches on anything else.
import type { FilterChain, HttpFilter } from '@heddle/xds';
import { messages } from '../../analyze/messages.js';
import type { ConfigObject } from '../../model/config-object.js';
import type { ConfigPatchSpec, EnvoyFilterSpec } from '../../view/spec/authorization.js';
import { selects } from '../../view/workload-instances.js';
import type { TranslationContext } from '../context.js';
import { HTTP_CONNECTION_MANAGER } from '../listener/connection-manager.js';
import { type PatchFilter, filterMessage, mergedFilter, patchFilter } from './patch-value.js';

/** The connection manager whose filters are patched. */
export interface PatchPlace {
  readonly direction: 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND';
  readonly listenerName: string;
  readonly listenerPort: number;
  readonly chain: FilterChain;
}

interface SourcedPatch {
  readonly patch: ConfigPatchSpec;
  readonly object: ConfigObject;
  readonly index: number;
}

export function patchedFilters(
  context: TranslationContext,
  filters: readonly HttpFilter[],
  place: PatchPlace,
): readonly HttpFilter[] {
  let current = [...filters];
  for (const sourced of workloadPatches(context)) {
    if (sourced.patch.applyTo !== 'HTTP_FILTER' || !matchesPlace(sourced.patch, place)) continue;
    try {
      current = applyPatch(current, sourced.patch);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const path = ['spec', 'configPatches', sourced.index, 'patch', 'value'];
      context.report(messages.invalidPatch, { object: sourced.object, path }, { reason });
    }
  }
  return current;
}

function workloadPatches({ view, workload }: TranslationContext): readonly SourcedPatch[] {
  const { rootNamespace } = view.settings;
  const own = view.envoyFilters.filter((object) => {
    const { namespace } = object.metadata;
    const spec = object.spec as EnvoyFilterSpec;
    if ((spec.targetRefs ?? []).length > 0) return false;
    return (
      (namespace === rootNamespace || namespace === workload.namespace) &&
      selects(spec.workloadSelector?.labels, workload.labels)
    );
  });
  const rank = (object: ConfigObject) => (object.metadata.namespace === rootNamespace ? 0 : 1);
  const priority = (object: ConfigObject) => (object.spec as EnvoyFilterSpec).priority ?? 0;
  const sorted = [...own].sort((a, b) => priority(a) - priority(b) || rank(a) - rank(b));
  return sorted.flatMap((object) =>
    ((object.spec as EnvoyFilterSpec).configPatches ?? []).map((patch, index) => ({ patch, object, index })),
  );
}

function matchesPlace({ match }: ConfigPatchSpec, place: PatchPlace): boolean {
  const context = match?.context ?? 'ANY';
  if (context !== 'ANY' && context !== place.direction) return false;
  const listener = match?.listener;
  if (listener === undefined) return true;
  if (listener.name !== undefined && listener.name !== '' && listener.name !== place.listenerName) return false;
  const chainPort = place.chain.filterChainMatch?.destinationPort;
  const port = place.direction === 'SIDECAR_INBOUND' ? chainPort : place.listenerPort;
  if (listener.portNumber !== undefined && listener.portNumber !== 0 && listener.portNumber !== port) return false;
  return matchesChain(listener.filterChain ?? {}, place.chain);
}

type ChainMatch = NonNullable<NonNullable<NonNullable<ConfigPatchSpec['match']>['listener']>['filterChain']>;

function matchesChain(match: ChainMatch, chain: FilterChain): boolean {
  const own = chain.filterChainMatch;
  if (match.filter?.name !== undefined && match.filter.name !== HTTP_CONNECTION_MANAGER) return false;
  if (match.name !== undefined && match.name !== '' && match.name !== chain.name) return false;
  if (match.sni !== undefined && match.sni !== '' && own?.serverNames.includes(match.sni) !== true) return false;
  const transport = match.transportProtocol ?? '';
  if (transport !== '' && own?.transportProtocol !== transport) return false;
  const protocols = (match.applicationProtocols ?? '').split(',').filter((protocol) => protocol !== '');
  if (!protocols.every((protocol) => own?.applicationProtocols.includes(protocol) === true)) return false;
  const port = match.destinationPort ?? 0;
  return port === 0 || own?.destinationPort === port;
}

function applyPatch(filters: HttpFilter[], { match, patch }: ConfigPatchSpec): HttpFilter[] {
  const named = match?.listener?.filterChain?.filter?.subFilter?.name;
  const at = named === undefined ? -1 : filters.findIndex((filter) => filter.name === named);
  const added = () => filterMessage(patchFilter(patch?.value ?? {}));
  switch (patch?.operation) {
    case 'ADD':
      return [...filters, added()];
    case 'INSERT_FIRST':
      return [added(), ...filters];
    case 'INSERT_BEFORE':
      // Without a filter to find, before means first and after means last; a filter that is not there changes nothing.
      if (named === undefined) return [added(), ...filters];
      return at < 0 ? filters : filters.toSpliced(at, 0, added());
    case 'INSERT_AFTER':
      if (named === undefined) return [...filters, added()];
      return at < 0 ? filters : filters.toSpliced(at + 1, 0, added());
    case 'REPLACE':
      return at < 0 ? filters : filters.toSpliced(at, 1, added());
    case 'REMOVE':
      return named === undefined ? filters : filters.filter((filter) => filter.name !== named);
    case 'MERGE':
    case 'MERGE_AND_REPLACE_LIST': {
      const lists = patch.operation === 'MERGE' ? 'append' : 'replace';
      return mergePatch(filters, patchFilter({ name: named ?? '*', ...patch.value }), named, lists);
    }
    case 'INVALID':
    case undefined:
      return filters;
  }
}

function mergePatch(
  filters: HttpFilter[],
  value: PatchFilter,
  named: string | undefined,
  lists: 'append' | 'replace',
): HttpFilter[] {
  return filters.map((filter) => (filter.name === (named ?? value.name) ? mergedFilter(filter, value, lists) : filter));
}
