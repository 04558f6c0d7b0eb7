// Plain data of one document -> a ConfigObject with the faults of its schema, or the reason why it is none that Heddle reads.
import type { ConfigObject, FieldPath, ObjectMetadata, ObjectSource } from '../model/config-object.js';
import { metadataSchema, objectName } from '../schema/metadata-schema.js';
import { describeValue } from '../schema/describe-value.js';
import type { KindInfo } from '../schema/kinds.js';
import type { Fault } from '../schema/validate.js';
import { validateValue } from '../schema/validate.js';
import { messages } from '../analyze/messages.js';

export type Fields = Readonly<Record<string, unknown>>;

export interface ReadObject {
  readonly object: ConfigObject;
  readonly faults: readonly Fault[];
}

const headerFields = ['apiVersion', 'kind', 'metadata'];
const rootFields = [...headerFields, 'spec', 'status'];
const rootSchema = { type: 'object', properties: Object.fromEntries(rootFields.map((field) => [field, {}])) } as const;

/** Validates `root` as the kind says and makes the object, also when it has faults (then its spec may be of any shape). */
export function toObject(
  root: Fields,
  info: KindInfo,
  namespace: string,
  source: ObjectSource,
  order: number,
): ReadObject {
  const spec = info.layout === 'spec' ? (root['spec'] ?? {}) : withoutHeader(root);
  const object: ConfigObject = {
    group: info.group,
    version: versionOf(root),
    kind: info.kind,
    metadata: metadataOf(root['metadata'], info.namespaced ? namespace : undefined),
    spec: fields(spec),
    ...(info.statusSchema && { status: fields(root['status']) }),
    source,
    order,
  };
  return { object, faults: faultsOf(root, info, spec) };
}

function faultsOf(root: Fields, info: KindInfo, spec: unknown): Fault[] {
  const { kind } = info;
  const metadata = info.closed ? metadataSchema : { ...metadataSchema, open: true };
  const faults = [
    ...(info.closed ? validateValue(rootSchema, root, kind, []) : []),
    ...validateValue(metadata, root['metadata'], kind, ['metadata']),
  ];
  const name = fields(root['metadata'])['name'];
  // Names of Services and Namespaces are stricter still (RFC 1035), but no other object can refer to a wrong one.
  if (typeof name === 'string' && name !== '' && !objectName.test(name)) {
    faults.push({
      message: messages.badName,
      path: ['metadata', 'name'],
      args: { got: describeValue(name) },
      breaksType: false,
    });
  }
  if (info.layout === 'spec' && info.specRequired && !('spec' in root)) {
    faults.push({ message: messages.missingField, path: [], args: { missing: 'spec' }, breaksType: true });
  }
  const base: FieldPath = info.layout === 'spec' ? ['spec'] : [];
  if (info.layout === 'top-level' || 'spec' in root) faults.push(...validateValue(info.schema(), spec, kind, base));
  if (info.statusSchema && 'status' in root)
    faults.push(...validateValue(info.statusSchema, root['status'], kind, ['status']));
  return faults;
}

function metadataOf(value: unknown, namespace: string | undefined): ObjectMetadata {
  const metadata = fields(value);
  const created = metadata['creationTimestamp'];
  return {
    name: text(metadata['name']) ?? '',
    namespace: namespace === undefined ? '' : (text(metadata['namespace']) ?? namespace),
    labels: strings(metadata['labels']),
    annotations: strings(metadata['annotations']),
    ...(typeof created === 'string' && { creationTimestamp: created }),
  };
}

/** An object of a kind that Heddle does not act on; data other than the spec (a Secret's!) is not kept. */
export function toUnreadObject(
  root: Fields,
  group: string,
  namespace: string,
  source: ObjectSource,
  order: number,
): ConfigObject {
  const metadata = metadataOf(root['metadata'], namespace);
  return {
    group,
    version: versionOf(root),
    kind: text(root['kind']) ?? '',
    metadata,
    spec: fields(root['spec']),
    source,
    order,
  };
}

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function withoutHeader(root: Fields): Fields {
  return Object.fromEntries(Object.entries(root).filter(([field]) => !headerFields.includes(field)));
}

const versionOf = (root: Fields) => (text(root['apiVersion']) ?? '').split('/').at(-1) ?? '';
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

function strings(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(fields(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}
