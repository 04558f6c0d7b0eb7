// What every part of one translation shares: the view, the workload, and what was found out about it once.
import type { Workload } from '../model/workload.js';
import type { Finding } from '../model/finding.js';
import { type MergedRule, mergeRules, rulesFor } from '../view/destination-rules.js';
import type { MeshView } from '../view/mesh-view.js';
import { type WorkloadMtls, mtlsOf } from '../view/peer-authentication.js';
import { type WorkloadScope, scopeOf } from '../view/workload-scope.js';
import { type ServedPort, servedPorts } from '../view/workload-services.js';
import type { Reuse } from './reuse.js';
import { type Report, collectInto } from '../analyze/report.js';

export interface TranslationContext {
  readonly view: MeshView;
  readonly workload: Workload;
  readonly scope: WorkloadScope;
  readonly served: readonly ServedPort[];
  readonly mtls: WorkloadMtls;
  readonly reuse: Reuse;
  /** The merged DestinationRule for a host; the same value as long as its rules are the same. */
  ruleFor(host: string): MergedRule | undefined;
  readonly report: Report;
  readonly findings: readonly Finding[];
}

export function translationContext(view: MeshView, workload: Workload, reuse: Reuse): TranslationContext {
  const findings: Finding[] = [];
  const { rootNamespace } = view.settings;
  return {
    view,
    workload,
    scope: scopeOf(view, workload),
    served: servedPorts(view, workload),
    mtls: mtlsOf(view.peerAuthentications, workload, rootNamespace),
    reuse,
    ruleFor: (host) => {
      const namespace = view.servicesByHost.get(host)?.namespace ?? '';
      const rules = rulesFor(view.destinationRules, host, namespace, workload, rootNamespace);
      return rules.length === 0 ? undefined : reuse.of(`rule ${host}`, rules, () => mergeRules(rules));
    },
    report: collectInto(findings),
    findings,
  };
}
