// Translated resources as bytes with content versions, by type and name.
import { hash } from 'node:crypto';
import {
  CLUSTER_TYPE_URL,
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  type ConfigOrigin,
  type DescMessage,
  ENDPOINT_TYPE_URL,
  LISTENER_TYPE_URL,
  ListenerSchema,
  type MessageShape,
  ROUTE_TYPE_URL,
  type RawResource,
  type ResourceTypeUrl,
  RouteConfigurationSchema,
  toBinary,
} from '@heddle/xds';
import type { OriginDetails, Translated, TranslatedResources } from '../translate/translated.js';

export interface ServedResource {
  readonly raw: RawResource;
  readonly origin: ConfigOrigin | undefined;
  readonly details: OriginDetails;
}

/** By type, then by name. A type that configuration never gives (secrets) is absent. */
export type ServedResources = ReadonlyMap<ResourceTypeUrl, ReadonlyMap<string, ServedResource>>;

/** Encoded messages by identity: a message that translation kept is not encoded again. */
export type EncodedMessages = WeakMap<object, RawResource>;

export function servedResources(translated: TranslatedResources, encoded: EncodedMessages): ServedResources {
  return new Map([
    [CLUSTER_TYPE_URL, byName(CLUSTER_TYPE_URL, ClusterSchema, translated.clusters, encoded)],
    [ENDPOINT_TYPE_URL, byName(ENDPOINT_TYPE_URL, ClusterLoadAssignmentSchema, translated.endpoints, encoded)],
    [LISTENER_TYPE_URL, byName(LISTENER_TYPE_URL, ListenerSchema, translated.listeners, encoded)],
    [ROUTE_TYPE_URL, byName(ROUTE_TYPE_URL, RouteConfigurationSchema, translated.routes, encoded)],
  ]);
}

function byName<Desc extends DescMessage>(
  typeUrl: ResourceTypeUrl,
  schema: Desc,
  resources: readonly Translated<MessageShape<Desc>>[],
  encoded: EncodedMessages,
): ReadonlyMap<string, ServedResource> {
  const found = new Map<string, ServedResource>();
  for (const { name, message, origin, details } of resources) {
    const known = encoded.get(message);
    const raw = known ?? encode(typeUrl, schema, name, message);
    if (known === undefined) encoded.set(message, raw);
    found.set(name, { raw, origin, details });
  }
  return found;
}

function encode<Desc extends DescMessage>(
  typeUrl: ResourceTypeUrl,
  schema: Desc,
  name: string,
  message: MessageShape<Desc>,
): RawResource {
  const bytes = toBinary(schema, message);
  return { typeUrl, name, version: hash('sha1', bytes, 'base64url').slice(0, 16), bytes, message };
}
