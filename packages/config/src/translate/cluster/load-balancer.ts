// DestinationRule loadBalancer -> lb_policy and its settings. LEAST_REQUEST unless stated, as istiod.
import { type Cluster, ClusterSchema, Cluster_LbPolicy, Cluster_CommonLbConfigSchema, create } from '@heddle/xds';
import type { LoadBalancerSpec } from '../../view/spec/istio.js';
import { durationOf } from '../wire.js';

/** `healthyPanicThreshold` 0: Kubernetes services have few endpoints; sending to all of them because most are ill helps nobody. */
export function applyLoadBalancer(cluster: Cluster, spec: LoadBalancerSpec | undefined): void {
  cluster.commonLbConfig = create(Cluster_CommonLbConfigSchema, { healthyPanicThreshold: { value: 0 } });
  if (cluster.lbPolicy === Cluster_LbPolicy.CLUSTER_PROVIDED) return;
  cluster.lbPolicy = Cluster_LbPolicy.LEAST_REQUEST;
  if (spec?.consistentHash !== undefined) applyConsistentHash(cluster, spec);
  else applySimple(cluster, spec);
}

function applySimple(cluster: Cluster, spec: LoadBalancerSpec | undefined): void {
  switch (spec?.simple ?? 'UNSPECIFIED') {
    case 'RANDOM':
      cluster.lbPolicy = Cluster_LbPolicy.RANDOM;
      return;
    case 'ROUND_ROBIN':
      cluster.lbPolicy = Cluster_LbPolicy.ROUND_ROBIN;
      return applySlowStart(cluster, spec, 'roundRobinLbConfig');
    case 'PASSTHROUGH':
      cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
      return;
    case 'UNSPECIFIED':
    case 'LEAST_CONN':
    case 'LEAST_REQUEST':
      return applySlowStart(cluster, spec, 'leastRequestLbConfig');
  }
}

function applySlowStart(
  cluster: Cluster,
  spec: LoadBalancerSpec | undefined,
  name: 'roundRobinLbConfig' | 'leastRequestLbConfig',
): void {
  const slowStartWindow = durationOf(spec?.warmup?.duration ?? spec?.warmupDurationSecs);
  if (slowStartWindow === undefined) return;
  const { warmup } = spec ?? {};
  const slowStartConfig = {
    slowStartWindow,
    ...(warmup === undefined
      ? {}
      : {
          aggression: { defaultValue: warmup.aggression ?? 1, runtimeKey: '(' },
          minWeightPercent: { value: warmup.minimumPercent ?? 10 },
        }),
  };
  cluster.lbConfig = create(ClusterSchema, { lbConfig: { case: name, value: { slowStartConfig } } }).lbConfig;
}

function applyConsistentHash(cluster: Cluster, spec: LoadBalancerSpec): void {
  const hash = spec.consistentHash ?? {};
  if (hash.maglev !== undefined) {
    cluster.lbPolicy = Cluster_LbPolicy.MAGLEV;
    const tableSize = BigInt(hash.maglev.tableSize ?? 0);
    if (tableSize > 0n) {
      cluster.lbConfig = create(ClusterSchema, { lbConfig: { case: 'maglevLbConfig', value: { tableSize } } }).lbConfig;
    }
    return;
  }
  cluster.lbPolicy = Cluster_LbPolicy.RING_HASH;
  // 1024 is Istio's minimum when the rule names no algorithm; a bare `ringHash: {}` leaves Envoy's own default.
  const size = hash.ringHash === undefined ? (hash.minimumRingSize ?? 1024) : (hash.ringHash.minimumRingSize ?? 0);
  if (size === 0) return;
  cluster.lbConfig = create(ClusterSchema, {
    lbConfig: { case: 'ringHashLbConfig', value: { minimumRingSize: BigInt(size) } },
  }).lbConfig;
}
