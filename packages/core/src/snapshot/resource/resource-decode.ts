// Decodes the bytes of a resource into its message. Decoded messages are not kept: 1,000 of them cost more memory than what is compiled from them.
import {
  CLUSTER_TYPE_URL,
  type Cluster,
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  ENDPOINT_TYPE_URL,
  type DescMessage,
  LISTENER_TYPE_URL,
  type Listener,
  ListenerSchema,
  type MessageShape,
  ROUTE_TYPE_URL,
  type RawResource,
  type ResourceTypeUrl,
  SECRET_TYPE_URL,
  fromBinary,
  isMessage,
} from '@heddle/xds';

const LABELS: Readonly<Record<ResourceTypeUrl, string>> = {
  [LISTENER_TYPE_URL]: 'Listener',
  [ROUTE_TYPE_URL]: 'RouteConfiguration',
  [CLUSTER_TYPE_URL]: 'Cluster',
  [ENDPOINT_TYPE_URL]: 'ClusterLoadAssignment',
  [SECRET_TYPE_URL]: 'Secret',
};

/** Kind and name, as every message about a resource begins. */
export function resourceLabel(raw: RawResource): string {
  return `${LABELS[raw.typeUrl]} ${raw.name}`;
}

export function decodeListener(raw: RawResource): Listener {
  return decode(ListenerSchema, raw);
}

export function decodeCluster(raw: RawResource): Cluster {
  return decode(ClusterSchema, raw);
}

export function decodeAssignment(raw: RawResource): ClusterLoadAssignment {
  return decode(ClusterLoadAssignmentSchema, raw);
}

function decode<Desc extends DescMessage>(schema: Desc, { bytes, message }: RawResource): MessageShape<Desc> {
  return isMessage(message, schema) ? message : fromBinary(schema, bytes);
}
