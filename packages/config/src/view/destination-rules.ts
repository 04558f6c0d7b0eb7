// DestinationRules: which one a client gets for a host. The client's namespace, then the service's, then the root namespace;
// rules for one host in one namespace are merged: the oldest policy, all subsets (Istio: destination rule inheritance off).
import type { ConfigObject } from '../model/config-object.js';
import { mostSpecific, resolveHost } from './host-names.js';
import type { DestinationRuleSpec, SubsetSpec, TrafficPolicySpec } from './spec/istio.js';
import { selects } from './workload-instances.js';

/** The merged rule for a host. */
export interface MergedRule {
  readonly trafficPolicy: TrafficPolicySpec | undefined;
  readonly subsets: readonly SubsetSpec[];
  /** Oldest first; the first one's name stands for the rule in metadata. */
  readonly objects: readonly ConfigObject[];
}

/** Rules by namespace, then by host pattern. */
export type RuleIndex = ReadonlyMap<string, ReadonlyMap<string, readonly ConfigObject[]>>;

/** `rules` in age order, oldest first. */
export function indexRules(rules: readonly ConfigObject[], clusterDomain: string): RuleIndex {
  const index = new Map<string, Map<string, ConfigObject[]>>();
  for (const rule of rules) {
    const { namespace } = rule.metadata;
    const host = resolveHost((rule.spec as DestinationRuleSpec).host ?? '', namespace, clusterDomain);
    const byHost = index.get(namespace) ?? new Map<string, ConfigObject[]>();
    index.set(namespace, byHost.set(host, [...(byHost.get(host) ?? []), rule]));
  }
  return index;
}

export interface RuleClient {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The rules that hold for calls of a client to a host, most specific host first; empty when there are none. */
export function rulesFor(
  index: RuleIndex,
  host: string,
  serviceNamespace: string,
  client: RuleClient,
  rootNamespace: string,
): readonly ConfigObject[] {
  for (const namespace of new Set([client.namespace, serviceNamespace, rootNamespace])) {
    const byHost = index.get(namespace);
    if (byHost === undefined) continue;
    const rules = mostSpecific(host, byHost)?.filter((rule) => visible(rule, client));
    if (rules === undefined || rules.length === 0) continue;
    const chosen = rules.filter((rule) => (rule.spec as DestinationRuleSpec).workloadSelector !== undefined);
    return chosen.length > 0 ? chosen : rules;
  }
  return [];
}

/** Merges rules for one host; undefined when there are none. */
export function mergeRules(rules: readonly ConfigObject[]): MergedRule | undefined {
  if (rules.length === 0) return undefined;
  const subsets = new Map<string, SubsetSpec>();
  let trafficPolicy: TrafficPolicySpec | undefined;
  for (const rule of rules) {
    const spec = rule.spec as DestinationRuleSpec;
    trafficPolicy ??= spec.trafficPolicy;
    for (const subset of spec.subsets ?? [])
      if (!subsets.has(subset.name ?? '')) subsets.set(subset.name ?? '', subset);
  }
  return { trafficPolicy, subsets: [...subsets.values()], objects: rules };
}

function visible(rule: ConfigObject, client: RuleClient): boolean {
  const spec = rule.spec as DestinationRuleSpec;
  if (spec.workloadSelector !== undefined) {
    return rule.metadata.namespace === client.namespace && selects(spec.workloadSelector.matchLabels, client.labels);
  }
  return exportedTo(spec.exportTo, rule.metadata.namespace, client.namespace);
}

/** Whether an object of `owner` with this exportTo is seen in `namespace`. */
export function exportedTo(exportTo: readonly string[] | undefined, owner: string, namespace: string): boolean {
  if (exportTo === undefined || exportTo.length === 0) return true;
  return exportTo.some((entry) => entry === '*' || entry === namespace || (entry === '.' && owner === namespace));
}
