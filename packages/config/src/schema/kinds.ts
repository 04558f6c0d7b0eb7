// The kinds that Heddle reads: group, versions, scope, where the data lies, and the schema.
import { generatedKinds } from './gen/schemas.js';
import { anySchema, endpointSliceSchema, podSchema, podStatusSchema, serviceSchema } from './kubernetes-schemas.js';
import type { SchemaNode } from './schema-node.js';
import { parseSchema } from './schema-node.js';
import type { KindName } from './spec-types.js';

export interface KindInfo {
  /** Unique over all groups. */
  readonly name: KindName;
  readonly group: string;
  readonly kind: string;
  /** The first one is the newest; builders use it. */
  readonly versions: readonly string[];
  /** Versions that a cluster no longer serves; read with a warning. */
  readonly retired: readonly string[];
  readonly namespaced: boolean;
  /** `top-level`: the kind has no spec field (EndpointSlice). */
  readonly layout: 'spec' | 'top-level';
  /** Unknown fields beside apiVersion, kind, metadata, spec and status are faults. */
  readonly closed: boolean;
  readonly specRequired: boolean;
  readonly schema: () => SchemaNode;
  readonly statusSchema?: SchemaNode;
}

const kubernetes = {
  versions: ['v1'],
  retired: [],
  namespaced: true,
  layout: 'spec',
  closed: false,
  specRequired: false,
} as const;

const kubernetesKinds: readonly KindInfo[] = [
  { ...kubernetes, name: 'Service', group: '', kind: 'Service', schema: () => serviceSchema, specRequired: true },
  { ...kubernetes, name: 'Pod', group: '', kind: 'Pod', schema: () => podSchema, statusSchema: podStatusSchema },
  { ...kubernetes, name: 'Namespace', group: '', kind: 'Namespace', namespaced: false, schema: () => anySchema },
  { ...kubernetes, name: 'ServiceAccount', group: '', kind: 'ServiceAccount', schema: () => anySchema },
  {
    ...kubernetes,
    name: 'EndpointSlice',
    group: 'discovery.k8s.io',
    kind: 'EndpointSlice',
    layout: 'top-level',
    schema: () => endpointSliceSchema,
  },
];

const readKinds: readonly KindInfo[] = generatedKinds.map(({ schema, ...info }) => ({
  ...info,
  name: kindName(info.group, info.kind),
  layout: 'spec',
  closed: true,
  schema: once(() => parseSchema(schema)),
}));

export const kinds: readonly KindInfo[] = [...readKinds, ...kubernetesKinds];

const byGroupAndKind = new Map(kinds.map((info) => [`${info.group}/${info.kind}`, info]));
const byName = new Map(kinds.map((info) => [info.name, info]));

export function findKind(group: string, kind: string): KindInfo | undefined {
  return byGroupAndKind.get(`${group}/${kind}`);
}

export function kindByName(name: KindName): KindInfo {
  const info = byName.get(name);
  if (!info) throw new TypeError(`no kind ${name}`);
  return info;
}

function kindName(group: string, kind: string): KindName {
  const clashes = group === 'gateway.networking.k8s.io' && kind.startsWith('Gateway');
  return (clashes ? `Kubernetes${kind}` : kind) as KindName;
}

// A schema is parsed when its kind is first met, and kept: a mesh rarely uses more than a third of the kinds.
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
