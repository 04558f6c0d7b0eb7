// Names of Istio's resources: clusters (`outbound|9080|v1|reviews.default.svc.cluster.local`), inbound clusters, listeners.

export interface ClusterName {
  readonly direction: 'outbound' | 'inbound';
  readonly port: number;
  /** Empty when the cluster is the whole service. */
  readonly subset: string;
  /** The service's full host name; empty for inbound clusters. */
  readonly host: string;
}

/** Builds a cluster name as istiod writes it. */
export function formatClusterName(name: ClusterName): string {
  return `${name.direction}|${String(name.port)}|${name.subset}|${name.host}`;
}

/** Reads a cluster name as istiod writes it; undefined for any other name (`PassthroughCluster`, a user's own). */
export function parseClusterName(text: string): ClusterName | undefined {
  const parts = text.split('|');
  const [direction, port, subset, host] = parts;
  if (parts.length !== 4 || (direction !== 'outbound' && direction !== 'inbound')) return undefined;
  if (port === undefined || !/^\d{1,5}$/.test(port) || subset === undefined || host === undefined) return undefined;
  return { direction, port: Number(port), subset, host };
}

/** Clusters that exist without a service (Istio). */
export const PASSTHROUGH_CLUSTER = 'PassthroughCluster';
export const BLACK_HOLE_CLUSTER = 'BlackHoleCluster';

/** Listeners with a fixed name (Istio). */
export const VIRTUAL_INBOUND_LISTENER = 'virtualInbound';
export const VIRTUAL_OUTBOUND_LISTENER = 'virtualOutbound';
