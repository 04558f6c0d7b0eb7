// Objects of kinds that Heddle does not read are named once for each kind and file: as information when the kind has nothing to do
// with a mesh (Deployment, ConfigMap), as a warning when it looks like one that was meant.
import { messages } from '../analyze/messages.js';
import type { Report } from '../analyze/report.js';
import type { ConfigObject } from '../model/config-object.js';
import { kinds } from '../schema/kinds.js';
import { didYouMean, editDistance } from '../schema/nearest-name.js';

export class UnknownKinds {
  readonly #seen = new Map<string, { object: ConfigObject; apiVersion: string; count: number }>();

  add(object: ConfigObject, apiVersion: string): void {
    const key = `${apiVersion} ${object.kind} ${object.source.file ?? ''}`;
    const known = this.#seen.get(key);
    if (known) known.count++;
    else this.#seen.set(key, { object, apiVersion, count: 1 });
  }

  reportTo(report: Report): void {
    for (const { object, apiVersion, count } of this.#seen.values()) {
      const suggestion = meant(object.group, object.kind);
      const message =
        suggestion !== undefined || isMeshGroup(object.group) ? messages.unknownKind : messages.unreadKind;
      report(message, { object, path: ['kind'] }, { kind: object.kind, apiVersion, count }, suggestion);
    }
  }
}

const isMeshGroup = (group: string) => group.endsWith('.istio.io') || group === 'gateway.networking.k8s.io';

function meant(group: string, kind: string): string | undefined {
  // The kind exists in another group: a slip only when the groups are near or the group was forgotten.
  const elsewhere = kinds.find(
    (info) => info.kind === kind && (group === '' || editDistance(info.group, group) <= 3 || isMeshGroup(group)),
  );
  if (elsewhere) return `did you mean apiVersion \`${apiVersionOf(elsewhere.group, elsewhere.versions[0] ?? '')}\`?`;
  const ofGroup = kinds.filter((info) => info.group === group).map((info) => info.kind);
  return didYouMean(kind, ofGroup);
}

export const apiVersionOf = (group: string, version: string) => (group === '' ? version : `${group}/${version}`);
