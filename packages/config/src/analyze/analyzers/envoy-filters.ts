// EnvoyFilter patches that have no effect or cannot be read, or whose effect is one that depends on the order of EnvoyFilters.
import type { FieldPath } from '../../model/config-object.js';
import type { EnvoyFilterConfigPatch } from '../../schema/gen/envoy-filter.js';
import { patchFilter } from '../../translate/envoy-filter/patch-value.js';
import type { Analyzer } from '../analyzer.js';
import type { ObjectOf } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';

export const envoyFilters: Analyzer = {
  name: 'envoy-filters',
  description: 'Operations and contexts of EnvoyFilter patches',
  inputs: ['EnvoyFilter'],
  scope: 'object',
  analyze(view, report) {
    for (const object of view.all('EnvoyFilter')) {
      object.spec.configPatches?.forEach((patch, index) => {
        const path = ['spec', 'configPatches', index];
        checkOperation(object, patch, path, report);
        const reason = unsupported(patch);
        if (reason)
          report(messages.unsupportedPatch, { object, path: [...path, ...reason.path] }, { reason: reason.text });
        else checkValue(object, patch, path, report);
      });
    }
  },
};

const relative = ['INSERT_BEFORE', 'INSERT_AFTER', 'REPLACE', 'REMOVE'];
const replaceable = ['HTTP_FILTER', 'NETWORK_FILTER', 'VIRTUAL_HOST'];
const routeLevel = ['ROUTE_CONFIGURATION', 'HTTP_ROUTE'];

function checkOperation(
  object: ObjectOf<'EnvoyFilter'>,
  patch: EnvoyFilterConfigPatch,
  path: FieldPath,
  report: Report,
): void {
  const { applyTo = 'INVALID' } = patch;
  const operation = patch.patch?.operation ?? 'INVALID';
  const place = { object, path: [...path, 'patch', 'operation'] };
  if (operation === 'REPLACE' && !replaceable.includes(applyTo)) {
    report(messages.replaceNeedsFilter, place, { applyTo });
    return;
  }
  if (operation === 'ADD' && routeLevel.includes(applyTo)) report(messages.addIgnored, place, { applyTo });
  if (operation === 'REMOVE' && routeLevel.includes(applyTo)) report(messages.removeIgnored, place, { applyTo });
  else if (relative.includes(operation) && object.spec.priority === undefined) {
    report(messages.relativeOperation, place, { operation });
    const version = patch.match?.proxy?.proxyVersion;
    if (version) report(messages.relativeOperationWithVersion, place, { operation });
  }
}

interface Unsupported {
  readonly path: FieldPath;
  readonly text: string;
}

const adding = ['ADD', 'INSERT_FIRST', 'INSERT_BEFORE', 'INSERT_AFTER', 'REPLACE'];
const merging = ['MERGE', 'MERGE_AND_REPLACE_LIST'];

/** A filter that cannot be read would be missing without a word, and it may be the one that protects the service. */
function checkValue(
  object: ObjectOf<'EnvoyFilter'>,
  { match, patch }: EnvoyFilterConfigPatch,
  path: FieldPath,
  report: Report,
): void {
  const operation = patch?.operation ?? 'INVALID';
  if (![...adding, ...merging].includes(operation)) return;
  const named = match?.listener?.filterChain?.filter?.subFilter?.name;
  try {
    patchFilter(merging.includes(operation) ? { name: named ?? '*', ...patch?.value } : (patch?.value ?? {}));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report(messages.invalidPatch, { object, path: [...path, 'patch', 'value'] }, { reason });
  }
}

function unsupported({ applyTo, match, patch }: EnvoyFilterConfigPatch): Unsupported | undefined {
  if (applyTo === 'BOOTSTRAP') return { path: ['applyTo'], text: 'a service of Heddle has no Envoy bootstrap' };
  const { context } = match ?? {};
  if (context === 'GATEWAY' || context === 'WAYPOINT')
    return { path: ['match', 'context'], text: `Heddle runs in services, not as a ${context.toLowerCase()}` };
  // Patches of listeners, clusters and routes would need Envoy's own merge of every message.
  if (applyTo !== 'HTTP_FILTER')
    return { path: ['applyTo'], text: `patches on ${applyTo ?? 'nothing'} are not applied` };
  if ((patch?.operation ?? 'INVALID') === 'INVALID')
    return { path: ['patch', 'operation'], text: 'it names no operation' };
  return undefined;
}
