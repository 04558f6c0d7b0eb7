// One immutable, compiled state of the whole configuration. A call pins one snapshot for its whole life.
import type { ClusterSnapshot } from './cluster-snapshot.js';
import type { InboundSnapshot } from './inbound-snapshot.js';
import type { OutboundListener, RouteTable } from './route-snapshot.js';

export interface UnsupportedField {
  /** `Cluster outbound|9080||reviews.default.svc.cluster.local`. */
  readonly resource: string;
  /** JSON path of the field that is set and not honoured, `$.lb_policy`. */
  readonly path: string;
  /** What that means for traffic, in one sentence. */
  readonly consequence: string;
}

/** Compiled lazily per resource and memoised per resource version: an unchanged resource yields the identical object. */
export interface Snapshot {
  /** Generation of the view that it was built from; 0 for the empty snapshot before the first update. */
  readonly generation: number;
  /**
   * The listener that a call to host:port meets, chosen as its original destination would be (Istio sidecar): `HOST_PORT` when the host is an IP
   * address or a VIP of a TCP service, then `0.0.0.0_PORT`, then `virtualOutbound`. Undefined when there is none of these.
   */
  outboundListener(host: string, port: number): OutboundListener | undefined;
  /** A listener by its resource name (on-demand and tests). */
  listenerByName(name: string): OutboundListener | undefined;
  routeTable(name: string): RouteTable | undefined;
  cluster(name: string): ClusterSnapshot | undefined;
  /** Names of all clusters, for status and tests. */
  clusterNames(): readonly string[];
  /** What the workload's own server obeys; undefined when the feed sends no `virtualInbound`. */
  readonly inbound: InboundSnapshot | undefined;
  /** Every set field that Heddle does not honour, of the resources compiled so far (`complete: true` compiles all first). */
  unsupported(options?: { readonly complete?: boolean }): readonly UnsupportedField[];
}
