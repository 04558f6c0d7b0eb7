// Collects the objects of any number of texts into one LoadedConfig.
import { messages } from '../analyze/messages.js';
import type { Report } from '../analyze/report.js';
import { collectInto, describePlace } from '../analyze/report.js';
import type { ConfigObject, FieldPath, ObjectSource } from '../model/config-object.js';
import type { Finding } from '../model/finding.js';
import type { LoadedConfig, RejectedObject } from '../model/loaded-config.js';
import { describeValue } from '../schema/describe-value.js';
import type { KindInfo } from '../schema/kinds.js';
import { findKind } from '../schema/kinds.js';
import { examine } from './examine.js';
import type { LoadLimits } from './limits.js';
import { defaultLimits } from './limits.js';
import type { PositionTable } from './position-table.js';
import { readDocuments } from './read-documents.js';
import type { Fields } from './to-object.js';
import { fields, toObject, toUnreadObject } from './to-object.js';
import { apiVersionOf, UnknownKinds } from './unknown-kinds.js';

export interface LoadOptions {
  /** Namespace of namespaced objects that name none; `default` by default. */
  readonly namespace?: string | undefined;
  readonly limits?: Partial<LoadLimits> | undefined;
}

interface Place {
  readonly file: string | undefined;
  readonly positions: PositionTable | undefined;
  readonly base: FieldPath;
}

export class Loading {
  readonly findings: Finding[] = [];
  readonly report: Report = collectInto(this.findings);
  readonly limits: LoadLimits;
  readonly #namespace: string;
  readonly #objects = new Map<string, ConfigObject>();
  readonly #rejected: RejectedObject[] = [];
  readonly #unread: ConfigObject[] = [];
  readonly #unknown = new UnknownKinds();
  readonly #files: string[] = [];
  #order = 0;

  constructor(options: LoadOptions = {}) {
    this.#namespace = options.namespace ?? 'default';
    this.limits = { ...defaultLimits, ...options.limits };
  }

  addText(text: string, file: string | undefined): void {
    if (file !== undefined) this.#files.push(file);
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes > this.limits.fileSizeBytes) {
      this.report(
        messages.fileTooLarge,
        { file },
        { file: file ?? 'the text', sizeBytes, limitBytes: this.limits.fileSizeBytes },
      );
      return;
    }
    for (const { value, positions } of readDocuments(text, file, this.limits, this.report)) {
      this.addValue(value, { file, positions, base: [] });
    }
  }

  /** One object, or a list of them (`kind: List`). */
  addValue(value: unknown, place: Place): void {
    const source = new DocumentSource(place);
    const root = fields(value);
    const [apiVersion, kind] = [root['apiVersion'], root['kind']];
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
      // Values files and the like lie in the same folders; half a header is a slip.
      const message = apiVersion === undefined && kind === undefined ? messages.foreignDocument : messages.notAnObject;
      const got =
        Object.keys(root).length > 0 ? `a map with ${Object.keys(root).slice(0, 3).join(', ')}` : describeValue(value);
      this.report(message, { file: place.file, position: source.position }, { got });
      return;
    }
    const items = root['items'];
    if (kind.endsWith('List') && Array.isArray(items)) {
      items.forEach((item, index) => this.addValue(item, { ...place, base: [...place.base, 'items', index] }));
      return;
    }
    this.#addObject(root, apiVersion, kind, source);
  }

  finish(): LoadedConfig {
    this.#unknown.reportTo(this.report);
    return {
      objects: [...this.#objects.values()].sort((a, b) => a.order - b.order),
      rejected: this.#rejected,
      unread: this.#unread,
      findings: this.findings,
      files: this.#files,
    };
  }

  #addObject(root: Fields, apiVersion: string, kind: string, source: ObjectSource): void {
    const slash = apiVersion.lastIndexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const info = findKind(group, kind);
    if (!info) {
      const object = toUnreadObject(root, group, this.#namespace, headerSource(source), this.#order++);
      this.#unread.push(object);
      this.#unknown.add(object, apiVersion);
      return;
    }
    const read = toObject(root, info, this.#namespace, source, this.#order++);
    const versionKnown = this.#checkVersion(info, read.object);
    const { findings, valid, wellTyped } = examine(read);
    this.findings.push(...findings);
    if (valid && versionKnown) this.#keep(read.object);
    else this.#rejected.push({ object: read.object, wellTyped });
  }

  #checkVersion(info: KindInfo, object: ConfigObject): boolean {
    const { group, kind } = info;
    const served = info.versions.filter((version) => !info.retired.includes(version));
    const versions = served.map((version) => apiVersionOf(group, version)).join(', ');
    const path = ['apiVersion'];
    if (!info.versions.includes(object.version)) {
      const suggestion = `write \`apiVersion: ${apiVersionOf(group, served[0] ?? '')}\``;
      this.report(
        messages.unknownVersion,
        { object, path },
        { kind, group: group || 'Kubernetes', version: object.version, versions },
        suggestion,
      );
      return false;
    }
    if (info.retired.includes(object.version)) {
      this.report(messages.retiredVersion, { object, path }, { kind, version: object.version, versions });
    }
    return true;
  }

  // As `kubectl apply` of the files in this order leaves it: the last one is in force.
  #keep(object: ConfigObject): void {
    const { namespace, name } = object.metadata;
    const key = `${object.group}/${object.kind}/${namespace}/${name}`;
    const earlier = this.#objects.get(key);
    if (earlier) this.report(messages.duplicateObject, { object }, { other: describePlace(earlier) });
    this.#objects.set(key, object);
  }
}

class DocumentSource implements ObjectSource {
  readonly file: string | undefined;
  readonly #place: Place;

  constructor(place: Place) {
    this.file = place.file;
    this.#place = place;
  }

  get position() {
    return this.positionOf([]);
  }

  positionOf(path: FieldPath) {
    const { positions, base } = this.#place;
    return positions?.positionOf([...base, ...path]);
  }
}

// The table of a document holds its data; of an object that is not read (a Secret, say) only the place of its header is kept.
function headerSource(source: ObjectSource): ObjectSource {
  const { file, position } = source;
  const kindPosition = source.positionOf(['kind']);
  return { file, position, positionOf: ([first]) => (first === 'kind' ? kindPosition : position) };
}
