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
  fromBinary,
} from '@heddle/xds';
import type { CompileReport } from '../compile-report.js';
import { resourceLabel } from '../resource/resource-decode.js';
import type { UnsupportedField } from '../snapshot.js';
import { CLUSTER_SUPPORT } from './cluster-support.js';
import { LISTENER_SUPPORT } from './listener-support.js';
import { ROUTE_SUPPORT } from './route-support.js';
import { type WalkPlan, undeclaredFields } from './support-walk.js';

const SCHEMAS: Readonly<Record<ResourceTypeUrl, DescMessage>> = {
  [LISTENER_TYPE_URL]: ListenerSchema,
  [ROUTE_TYPE_URL]: RouteConfigurationSchema,
  [CLUSTER_TYPE_URL]: ClusterSchema,
  [ENDPOINT_TYPE_URL]: ClusterLoadAssignmentSchema,
  [SECRET_TYPE_URL]: SecretSchema,
};

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

/** Unsupported fields of resources and of what compiling them reported, each once. */
export function unsupportedFields(
  compiled: Iterable<{ readonly raw: RawResource; readonly report: CompileReport }>,
): readonly UnsupportedField[] {
  const found = new Map<string, UnsupportedField>();
  for (const { raw, report } of compiled)
    for (const field of [...report.unsupported, ...report.undeclared(() => undeclaredOf(raw))])
      found.set(`${field.resource} ${field.path}`, field);
  return [...found.values()];
}

function undeclaredOf(raw: RawResource): readonly UnsupportedField[] {
  const schema = SCHEMAS[raw.typeUrl];
  const resource = resourceLabel(raw);
  return undeclaredFields(schema, fromBinary(schema, raw.bytes), PLAN).map((field) => ({ resource, ...field }));
}
