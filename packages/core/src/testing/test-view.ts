// Resource views out of JSON, for tests of what is compiled from them.
import {
  CLUSTER_TYPE_URL,
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  type DescMessage,
  ENDPOINT_TYPE_URL,
  type JsonValue,
  LISTENER_TYPE_URL,
  ListenerSchema,
  ROUTE_TYPE_URL,
  type RawResource,
  type ResourceTypeUrl,
  RouteConfigurationSchema,
  fromJson,
  toBinary,
} from '@heddle/xds';
import type { ResourceView } from '../feed/resource-view.js';

/** A raw resource of the given JSON form (proto3 JSON mapping, proto field names allowed). */
export function rawResource(typeUrl: ResourceTypeUrl, name: string, json: JsonValue, version = '1'): RawResource {
  const schema = SCHEMAS[typeUrl];
  if (schema === undefined) throw new TypeError(`no schema for ${typeUrl}`);
  return { typeUrl, name, version, bytes: toBinary(schema, fromJson(schema, json)) };
}

const SCHEMAS: Readonly<Partial<Record<ResourceTypeUrl, DescMessage>>> = {
  [LISTENER_TYPE_URL]: ListenerSchema,
  [ROUTE_TYPE_URL]: RouteConfigurationSchema,
  [CLUSTER_TYPE_URL]: ClusterSchema,
  [ENDPOINT_TYPE_URL]: ClusterLoadAssignmentSchema,
};

/** A view of these resources; names are taken from them. */
export function viewOf(resources: readonly RawResource[], generation = 1): ResourceView {
  const of = (typeUrl: ResourceTypeUrl) =>
    new Map(resources.filter((raw) => raw.typeUrl === typeUrl).map((raw) => [raw.name, raw]));
  return {
    generation,
    listeners: of(LISTENER_TYPE_URL),
    routes: of(ROUTE_TYPE_URL),
    clusters: of(CLUSTER_TYPE_URL),
    endpoints: of(ENDPOINT_TYPE_URL),
    secrets: new Map(),
  };
}
