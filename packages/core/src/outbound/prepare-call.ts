// From host and head of a call to what is to be done with it: listener, virtual host, route, weighted cluster, endpoint policy. No I/O.
import type { ClusterState } from '../cluster-state/cluster-state.js';
import type { ClusterStates } from '../cluster-state/cluster-states.js';
import type { EndpointState } from '../cluster-state/endpoint-state.js';
import type { Draws } from '../draws.js';
import type { HttpFilter } from '../filters/http-filter.js';
import type { EndpointSnapshot } from '../snapshot/cluster-snapshot.js';
import type { ForwardAction, RoutePlan, WeightedCluster, WeightedClusters } from '../snapshot/route-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { Destination } from './destination.js';
import { localReply, type LocalReply } from './exchange/local-reply.js';
import type { OutboundHead } from './exchange/outbound-head.js';
import { passthroughCluster } from './passthrough-cluster.js';

/** Istio's cluster for hosts that nobody knows, in a mesh that forbids calling them (outboundTrafficPolicy REGISTRY_ONLY). */
const BLACK_HOLE = 'BlackHoleCluster';
const NO_FILTERS: readonly HttpFilter[] = [];
const NO_CLUSTERS: WeightedClusters = { entries: [], totalWeight: 0 };

/** What is done with a call that no route decides: no timeout of the mesh, no retries. */
const AS_IS: ForwardAction = {
  kind: 'forward',
  clusters: NO_CLUSTERS,
  timeoutMs: 0,
  idleTimeoutMs: undefined,
  retry: undefined,
  hostRewrite: undefined,
  rewritePath: undefined,
  mirrors: [],
  hash: undefined,
};

export interface ForwardedCall {
  readonly kind: 'forward';
  /** Undefined where no route decided (TCP listener, unknown host). */
  readonly plan: RoutePlan | undefined;
  readonly action: ForwardAction;
  readonly entry: WeightedCluster | undefined;
  readonly cluster: ClusterState;
  readonly filters: readonly HttpFilter[];
  /** Set where the call itself names the endpoint (original destination). */
  readonly fixedEndpoint: EndpointState | undefined;
}

export interface AnsweredCall {
  readonly kind: 'answer';
  readonly plan: RoutePlan | undefined;
  readonly reply: LocalReply;
}

export type PreparedCall = ForwardedCall | AnsweredCall;

/** `destination` is of this snapshot; what was looked up once for it is not looked up again. */
export function prepareCall(
  snapshot: Snapshot,
  states: ClusterStates,
  draw: Draws,
  destination: Destination,
  head: OutboundHead,
): PreparedCall {
  const { listener } = destination;
  if (listener === undefined) {
    if (snapshot.generation === 0)
      return answer(undefined, localReply('FEED_UNAVAILABLE', { details: 'no_configuration' }));
    return forward(undefined, AS_IS, undefined, states.of(passthroughCluster()), NO_FILTERS, destination);
  }
  const { target } = listener;
  if (target.kind === 'tcp') {
    const entry = drawCluster(target.clusters, draw);
    return toCluster(snapshot, states, undefined, AS_IS, entry, NO_FILTERS, destination, head);
  }
  const plan = destination.virtualHostOf(head.authority, snapshot)?.match(head, draw);
  if (plan === undefined) return answer(undefined, localReply('NO_ROUTE', { details: 'route_not_found' }));
  const { action } = plan;
  switch (action.kind) {
    case 'forward': {
      const entry = drawCluster(action.clusters, draw);
      const known = entry === undefined ? undefined : destination.forwards.get(entry);
      if (known?.plan === plan) return known;
      return toCluster(snapshot, states, plan, action, entry, plan.filters, destination, head);
    }
    case 'redirect':
      return answer(plan, directAnswer(action.status, '', [['location', action.location(head)]]));
    case 'direct-response':
      return answer(plan, directAnswer(action.status, action.body, []));
  }
}

/** First cluster whose cumulative weight is greater than the draw (Envoy: weighted_clusters). */
export function drawCluster(clusters: WeightedClusters, draw: Draws): WeightedCluster | undefined {
  const { entries } = clusters;
  if (entries.length <= 1) return entries[0];
  const point = Math.floor(draw('weighted-cluster') * clusters.totalWeight);
  for (const entry of entries) if (point < entry.cumulativeWeight) return entry;
  return entries[entries.length - 1];
}

function toCluster(
  snapshot: Snapshot,
  states: ClusterStates,
  plan: RoutePlan | undefined,
  action: ForwardAction,
  entry: WeightedCluster | undefined,
  filters: readonly HttpFilter[],
  destination: Destination,
  head: OutboundHead,
): PreparedCall {
  if (entry === undefined) return answer(plan, localReply('NO_CLUSTER', { details: 'cluster_not_found' }));
  const named = entry.clusterHeader !== undefined;
  const name = named ? (head.header(entry.clusterHeader) ?? '') : entry.name;
  if (name === BLACK_HOLE) return answer(plan, localReply('EGRESS_BLOCKED', { details: 'black_hole_cluster' }));
  const cluster = snapshot.cluster(name);
  if (cluster === undefined) return answer(plan, localReply('NO_CLUSTER', { details: 'cluster_not_found' }));
  const call = forward(plan, action, entry, states.of(cluster), entry.filters ?? filters, destination);
  if (!named && call.fixedEndpoint === undefined) destination.forwards.set(entry, call);
  return call;
}

function forward(
  plan: RoutePlan | undefined,
  action: ForwardAction,
  entry: WeightedCluster | undefined,
  cluster: ClusterState,
  filters: readonly HttpFilter[],
  { host, port }: Destination,
): ForwardedCall {
  const fixedEndpoint =
    cluster.snapshot.discovery === 'original-dst' ? cluster.dynamicEndpoint(dialled(host, port)) : undefined;
  return { kind: 'forward', plan, action, entry, cluster, filters, fixedEndpoint };
}

const answer = (plan: RoutePlan | undefined, reply: LocalReply): AnsweredCall => ({ kind: 'answer', plan, reply });

function directAnswer(status: number, body: string, headers: readonly (readonly [string, string])[]): LocalReply {
  const details = headers.length > 0 ? '' : 'direct_response';
  return { code: undefined, status, grpcStatus: undefined, headers, body, flag: '-', details, policy: undefined };
}

function dialled(host: string, port: number): EndpointSnapshot {
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    host,
    port,
    hostname: undefined,
    weight: 1,
    health: 'unknown',
    tlsMode: undefined,
    workload: undefined,
    subsetMetadata: undefined,
  };
}
