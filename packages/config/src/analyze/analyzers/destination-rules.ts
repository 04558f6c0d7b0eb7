// DestinationRules that apply to nothing: an unknown host, subsets without workloads; and TLS that verifies nobody.
import type { FieldPath } from '../../model/config-object.js';
import type { DestinationRuleSubset, DestinationRuleTrafficPolicy } from '../../schema/gen/destination-rule.js';
import type { Analyzer } from '../analyzer.js';
import type { ConfigView, ObjectOf } from '../config-view.js';
import { describeLabels } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';

type Rule = ObjectOf<'DestinationRule'>;

export const destinationRules: Analyzer = {
  name: 'destination-rules',
  description: 'Hosts and subsets of DestinationRules, and whether their TLS verifies the server',
  inputs: ['DestinationRule', 'Service', 'ServiceEntry', 'Pod', 'WorkloadEntry', 'WorkloadGroup'],
  scope: 'mesh',
  analyze(view, report) {
    for (const object of view.all('DestinationRule')) {
      const { namespace } = object.metadata;
      const host = view.resolve(object.spec.host, namespace);
      const services = view.servicesOf(host, namespace);
      // A wildcard rule is made for hosts to come.
      if (services.length === 0 && !host.startsWith('*')) {
        const path = ['spec', 'host'];
        report(
          messages.unknownRuleHost,
          { object, path },
          { host: object.spec.host },
          view.suggestHost(object.spec.host, namespace),
        );
      }
      object.spec.subsets?.forEach((subset, index) => {
        for (const service of services) {
          if (service.selector)
            checkSubset(view, object, { subset, index }, { ...service, selector: service.selector }, report);
        }
        checkTls(object, subset.trafficPolicy, ['spec', 'subsets', index, 'trafficPolicy'], report);
      });
      checkTls(object, object.spec.trafficPolicy, ['spec', 'trafficPolicy'], report);
    }
  },
};

interface Selecting {
  readonly host: string;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
}

interface IndexedSubset {
  readonly subset: DestinationRuleSubset;
  readonly index: number;
}

function checkSubset(
  view: ConfigView,
  object: Rule,
  { subset, index }: IndexedSubset,
  service: Selecting,
  report: Report,
): void {
  const { selector, namespace, host } = service;
  // Where no workload of the service is known at all, its workloads live elsewhere.
  if (view.workloadsWith(selector, namespace).length === 0) return;
  const labels = Object.fromEntries(Object.entries(subset.labels ?? {}).filter(([name]) => !isTopologyLabel(name)));
  if (view.workloadsWith({ ...selector, ...labels }, namespace).length > 0) return;
  const path = ['spec', 'subsets', index];
  report(
    messages.subsetWithoutWorkloads,
    { object, path },
    { host, labels: describeLabels(labels), subset: subset.name },
  );
}

// Istio adds these labels to endpoints itself, from the node and the cluster.
const isTopologyLabel = (name: string) => name.startsWith('topology.') || name.startsWith('failure-domain.');

type Tls = NonNullable<DestinationRuleTrafficPolicy['tls']>;

function checkTls(
  object: Rule,
  policy: DestinationRuleTrafficPolicy | undefined,
  path: FieldPath,
  report: Report,
): void {
  const { tls } = policy ?? {};
  if (tls && unverified(object, tls)) {
    report(messages.noServerVerification, { object, path: [...path, 'tls'] }, { mode: tls.mode ?? '' });
  }
  policy?.portLevelSettings?.forEach((setting, index) => {
    if (!setting.tls || !unverified(object, setting.tls)) return;
    const place = { object, path: [...path, 'portLevelSettings', index, 'tls'] };
    report(messages.noServerVerificationOnPort, place, {
      mode: setting.tls.mode ?? '',
      port: setting.port?.number ?? 0,
    });
  });
}

function unverified(object: Rule, tls: Tls): boolean {
  if (tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL') return false;
  if (tls.caCertificates || tls.insecureSkipVerify === true) return false;
  // A credential is read for the workloads of a selector only (Istio: credentialName of a DestinationRule).
  return !(tls.credentialName && object.spec.workloadSelector);
}
