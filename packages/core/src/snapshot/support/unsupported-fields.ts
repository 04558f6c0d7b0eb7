// All that Heddle does not honour of given resources: what compiling reported, and what the walk over their fields finds. On demand only.
import {
  CLUSTER_TYPE_URL,
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  type DescMessage,
  DownstreamTlsContextSchema,
  ENDPOINT_TYPE_URL,
  HttpConnectionManagerSchema,
  LISTENER_TYPE_URL,
  ListenerSchema,
  ROUTE_TYPE_URL,
  type RawResource,
  type ResourceTypeUrl,
  RouteConfigurationSchema,
  SECRET_TYPE_URL,
  SecretSchema,
  TcpProxySchema,
  UpstreamHttpProtocolOptionsSchema,
  UpstreamTlsContextSchema,
  VirtualHostSchema,
  fromBinary,
} from '@heddle/xds';
import type { CompileReport } from '../compile-report.js';
import type { UnsupportedField } from '../snapshot.js';
import { CLUSTER_SUPPORT } from './cluster-support.js';
import { LISTENER_SUPPORT } from './listener-support.js';
import { ROUTE_SUPPORT } from './route-support.js';
import { type WalkPlan, undeclaredFields } from './support-walk.js';

/** A compiled resource, or a part of one that was compiled by itself. */
export interface Compiled {
  readonly report: CompileReport;
  readonly typeName: string;
  /** The message, decoded again: it is not kept. Undefined: its fields were looked at as a part of another resource. */
  readonly message: (() => object) | undefined;
  /** For a part: where it stood when it was compiled, and where it stands now. */
  readonly path?: { readonly compiledAt: string; readonly at: string } | undefined;
}

const SCHEMAS: Readonly<Record<ResourceTypeUrl, DescMessage>> = {
  [LISTENER_TYPE_URL]: ListenerSchema,
  [ROUTE_TYPE_URL]: RouteConfigurationSchema,
  [CLUSTER_TYPE_URL]: ClusterSchema,
  [ENDPOINT_TYPE_URL]: ClusterLoadAssignmentSchema,
  [SECRET_TYPE_URL]: SecretSchema,
};
const KNOWN: readonly DescMessage[] = [...Object.values(SCHEMAS), VirtualHostSchema];

/** Searched when asked: reading the name of a schema decodes its descriptor, which at import would cost every start (docs/adr/0002). */
const schemaNamed = (typeName: string): DescMessage | undefined => KNOWN.find((schema) => schema.typeName === typeName);

const PLAN: WalkPlan = {
  table: { ...ROUTE_SUPPORT, ...CLUSTER_SUPPORT, ...LISTENER_SUPPORT },
  packed: [
    HttpConnectionManagerSchema,
    TcpProxySchema,
    UpstreamTlsContextSchema,
    DownstreamTlsContextSchema,
    UpstreamHttpProtocolOptionsSchema,
  ],
};

/** A whole resource. */
export function compiledResource(raw: RawResource, report: CompileReport): Compiled {
  const schema = SCHEMAS[raw.typeUrl];
  return { report, typeName: schema.typeName, message: () => fromBinary(schema, raw.bytes) };
}

/** Unsupported fields of what was compiled, each once. */
export function unsupportedFields(compiled: Iterable<Compiled>): readonly UnsupportedField[] {
  const found = new Map<string, UnsupportedField>();
  for (const part of compiled) {
    const { report, path } = part;
    for (const field of [...report.unsupported, ...report.undeclared(() => undeclaredOf(part))]) {
      const moved = path === undefined ? field : { ...field, path: field.path.replace(path.compiledAt, path.at) };
      found.set(`${moved.resource} ${moved.path}`, moved);
    }
  }
  return [...found.values()];
}

function undeclaredOf({ report, typeName, message, path }: Compiled): readonly UnsupportedField[] {
  const schema = schemaNamed(typeName);
  if (schema === undefined || message === undefined) return [];
  const root = path?.compiledAt ?? '$';
  return undeclaredFields(schema, message(), PLAN).map(({ path: at, consequence }) => ({
    resource: report.resource,
    path: `${root}${at.slice(1)}`,
    consequence,
  }));
}
