// Selectors that choose no workload, and Sidecars that contend for one.
import { describeObject } from '../../model/config-object.js';
import type { Analyzer } from '../analyzer.js';
import type { ConfigView, ObjectOf } from '../config-view.js';
import { describeLabels } from '../config-view.js';
import { messages } from '../messages.js';
import type { Report } from '../report.js';

type Labels = Readonly<Record<string, string>>;

const withSelector = [
  'AuthorizationPolicy',
  'PeerAuthentication',
  'RequestAuthentication',
  'ProxyConfig',
  'Telemetry',
  'WasmPlugin',
] as const;

export const workloadSelectors: Analyzer = {
  name: 'workload-selectors',
  description: 'Whether selectors choose workloads, and whether several Sidecars choose the same one',
  inputs: [...withSelector, 'EnvoyFilter', 'Sidecar', 'Pod', 'WorkloadEntry', 'WorkloadGroup'],
  scope: 'mesh',
  analyze(view, report) {
    for (const object of withSelector.flatMap((kind): readonly ObjectOf<(typeof withSelector)[number]>[] =>
      view.all(kind),
    )) {
      checkSelector(view, object, 'selector', object.spec.selector?.matchLabels, report);
    }
    for (const object of [...view.all('EnvoyFilter'), ...view.all('Sidecar')]) {
      checkSelector(view, object, 'workloadSelector', object.spec.workloadSelector?.labels, report);
    }
    checkSidecars(view, report);
  },
};

type Selecting = ObjectOf<(typeof withSelector)[number] | 'EnvoyFilter' | 'Sidecar'>;

function checkSelector(
  view: ConfigView,
  object: Selecting,
  field: string,
  labels: Labels | undefined,
  report: Report,
): void {
  // Without any workload in the configuration, workloads live elsewhere.
  if (!labels || Object.keys(labels).length === 0 || view.workloads.length === 0) return;
  const { namespace } = object.metadata;
  const everywhere = namespace === view.names.rootNamespace && object.kind !== 'Sidecar';
  if (view.workloadsWith(labels, everywhere ? undefined : namespace).length > 0) return;
  report(messages.noMatchingWorkload, { object, path: ['spec', field] }, { namespace, labels: describeLabels(labels) });
}

function checkSidecars(view: ConfigView, report: Report): void {
  for (const object of view.all('Sidecar')) {
    const { namespace } = object.metadata;
    const labels = object.spec.workloadSelector?.labels;
    const rivals = view.all('Sidecar').filter((other) => other !== object && other.metadata.namespace === namespace);
    if (labels === undefined) {
      const others = rivals.filter((other) => other.spec.workloadSelector === undefined);
      if (others.length > 0) report(messages.severalDefaultSidecars, { object }, { namespace, others: names(others) });
      continue;
    }
    for (const workload of view.workloadsWith(labels, namespace)) {
      const others = rivals.filter(
        ({ spec }) => spec.workloadSelector && selects(spec.workloadSelector.labels, workload.labels),
      );
      if (others.length === 0) continue;
      const place = { object, path: ['spec', 'workloadSelector'] };
      report(messages.conflictingSidecars, place, { workload: workload.name, others: names(others) });
    }
  }
}

const selects = (selector: Labels | undefined, labels: Labels) =>
  Object.entries(selector ?? {}).every(([name, value]) => labels[name] === value);
const names = (objects: readonly ObjectOf<'Sidecar'>[]) => objects.map((object) => describeObject(object)).join(', ');
