// Gateway API HTTPRoutes with a Service parent -> rule sets, one for each (host, port), rules of all routes sorted by how
// specific their match is (Istio: gateway conversion, sortHTTPRoutes; Gateway API: HTTPRouteRule precedence).
import type { ConfigObject } from '../../model/config-object.js';
import { serviceHost } from '../../view/host-names.js';
import type { HttpRouteSpec } from '../../view/spec/kubernetes.js';
import type { HttpRuleSpec } from '../../view/spec/istio.js';
import type { TranslationContext } from '../context.js';
import { originAt } from '../translated.js';
import { httpRouteRule } from './http-route-rule.js';
import type { RuleSet, SourcedRule } from './virtual-service-routes.js';

interface Parent {
  readonly host: string;
  readonly namespace: string;
  readonly port: number | undefined;
}

export function httpRouteRuleSets(context: TranslationContext): readonly RuleSet[] {
  const groups = new Map<string, { parent: Parent; object: ConfigObject; routes: ConfigObject[] }>();
  for (const object of context.view.httpRoutes) {
    for (const parent of serviceParents(object, context)) {
      // Routes of another namespace than the service hold only for callers in their own (GEP-1426: consumer routes).
      const { namespace } = object.metadata;
      if (parent.namespace !== namespace && context.workload.namespace !== namespace) continue;
      const key = `${namespace}~${parent.port ?? ''}~${parent.host}`;
      const group = groups.get(key) ?? { parent, object, routes: [] };
      group.routes.push(object);
      groups.set(key, group);
    }
  }
  // A consumer's own route comes before the producer's; a port's before the whole service's.
  const own = (group: { object: ConfigObject }) =>
    group.object.metadata.namespace === context.workload.namespace ? 0 : 1;
  const sorted = [...groups.values()].sort((a, b) => own(a) - own(b) || portRank(a.parent) - portRank(b.parent));
  return sorted.map((group) => ruleSet(group.parent, group.object, group.routes, context));
}

function portRank(parent: Parent): number {
  return parent.port === undefined ? 1 : 0;
}

function serviceParents(object: ConfigObject, { view }: TranslationContext): readonly Parent[] {
  const refs = (object.spec as HttpRouteSpec).parentRefs ?? [];
  return refs
    .filter((ref) => ref.kind === 'Service' && (ref.group ?? '') === '')
    .map((ref) => {
      const namespace = ref.namespace ?? object.metadata.namespace;
      return { host: serviceHost(ref.name ?? '', namespace, view.settings.clusterDomain), namespace, port: ref.port };
    });
}

function ruleSet(
  parent: Parent,
  first: ConfigObject,
  objects: readonly ConfigObject[],
  context: TranslationContext,
): RuleSet {
  const { namespace } = first.metadata;
  const name = [namespace, ...(parent.port === undefined ? [] : [parent.port]), parent.host].join('~');
  const rules = objects.flatMap((object) => splitRules(object, parent.port, context));
  rules.sort(bySpecificity);
  return {
    name,
    namespace,
    hosts: [parent.host],
    configPath: `/apis/networking.istio.io/v1/namespaces/${namespace}/virtual-service/${name}`,
    gateway: true,
    origin: originAt(first, ['spec', 'parentRefs']),
    rules,
    sources: objects,
  };
}

/** One rule for each match, so that every match finds its own place in the order. */
function splitRules(object: ConfigObject, port: number | undefined, context: TranslationContext): SourcedRule[] {
  const { rules = [] } = object.spec as HttpRouteSpec;
  return rules.flatMap((rule, index) => {
    const path = ['spec', 'rules', index];
    const made = httpRouteRule(rule, { object, index, path, context });
    const matches = made.match ?? [{ uri: { prefix: '/' } }];
    return matches.map((match) => {
      const ported = port === undefined ? match : { ...match, port };
      return { object, path, rule: { ...made, match: [ported] } };
    });
  });
}

function bySpecificity(a: SourcedRule, b: SourcedRule): number {
  const [left, right] = [specificity(a.rule), specificity(b.rule)];
  for (let index = 0; index < left.length; index += 1) {
    const order = (right[index] ?? 0) - (left[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** Exact before prefix before regex, the longer path, a method, more headers, more query parameters. */
function specificity(rule: HttpRuleSpec): readonly number[] {
  const match = rule.match?.[0] ?? {};
  const { exact, prefix, regex } = match.uri ?? {};
  const rank = exact !== undefined ? 3 : prefix !== undefined ? 2 : 1;
  const length = (exact ?? prefix ?? regex ?? '').length;
  const method = match.method === undefined ? 0 : 1;
  return [rank, length, method, Object.keys(match.headers ?? {}).length, Object.keys(match.queryParams ?? {}).length];
}
