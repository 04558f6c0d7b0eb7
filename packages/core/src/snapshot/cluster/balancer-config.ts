// Which balancer a cluster asks for (Envoy: Cluster.lb_policy and its lb_config, or the extension list of load_balancing_policy).
import {
  type Cluster,
  Cluster_LbPolicy as LbPolicy,
  Cluster_RingHashLbConfig_HashFunction as HashFunction,
} from '@heddle/xds';
import type { BalancerConfig } from '../cluster-snapshot.js';
import type { CompileReport } from '../compile-report.js';

const DEFAULT_CHOICES = 2;
const MINIMUM_RING = 1024;
const MAXIMUM_RING = 8 * 1024 * 1024;
const MAGLEV_TABLE = 65_537;
const EXTENSIONS = 'type.googleapis.com/envoy.extensions.load_balancing_policies.';

/** Configuration-less forms of the extensions; what their configurations say is reported. */
const BY_EXTENSION: ReadonlyMap<string, BalancerConfig> = new Map<string, BalancerConfig>([
  [`${EXTENSIONS}round_robin.v3.RoundRobin`, { kind: 'round-robin' }],
  [
    `${EXTENSIONS}least_request.v3.LeastRequest`,
    { kind: 'least-request', choiceCount: DEFAULT_CHOICES, activeRequestBias: 1 },
  ],
  [`${EXTENSIONS}random.v3.Random`, { kind: 'random' }],
  [
    `${EXTENSIONS}ring_hash.v3.RingHash`,
    { kind: 'ring-hash', minimumRingSize: MINIMUM_RING, maximumRingSize: MAXIMUM_RING },
  ],
  [`${EXTENSIONS}maglev.v3.Maglev`, { kind: 'maglev', tableSize: MAGLEV_TABLE }],
  [`${EXTENSIONS}cluster_provided.v3.ClusterProvided`, { kind: 'cluster-provided' }],
]);

export function compileBalancer(cluster: Cluster, report: CompileReport): BalancerConfig {
  if (cluster.loadBalancingPolicy !== undefined) {
    const known = extensionBalancer(cluster, report);
    if (known !== undefined) return known;
  }
  const config = cluster.lbConfig;
  switch (cluster.lbPolicy) {
    case LbPolicy.ROUND_ROBIN:
      return { kind: 'round-robin' };
    case LbPolicy.LEAST_REQUEST: {
      const own = config.case === 'leastRequestLbConfig' ? config.value : undefined;
      const activeRequestBias = own?.activeRequestBias?.defaultValue ?? 1;
      return {
        kind: 'least-request',
        choiceCount: Math.max(2, own?.choiceCount ?? DEFAULT_CHOICES),
        activeRequestBias,
      };
    }
    case LbPolicy.RANDOM:
      return { kind: 'random' };
    case LbPolicy.RING_HASH:
      return ringHash(config.case === 'ringHashLbConfig' ? config.value : undefined, report);
    case LbPolicy.MAGLEV: {
      const tableSize = config.case === 'maglevLbConfig' ? config.value.tableSize : undefined;
      return { kind: 'maglev', tableSize: tableSize === undefined ? MAGLEV_TABLE : Number(tableSize) };
    }
    case LbPolicy.CLUSTER_PROVIDED:
      return { kind: 'cluster-provided' };
    case LbPolicy.LOAD_BALANCING_POLICY_CONFIG:
      report.ignored('lb_policy', 'no policy of load_balancing_policy is known: endpoints are taken in turn');
      return { kind: 'round-robin' };
    default:
      // Enum values of a newer API (proto3 keeps them).
      report.ignored('lb_policy', `the policy ${String(cluster.lbPolicy)} is not known: endpoints are taken in turn`);
      return { kind: 'round-robin' };
  }
}

function ringHash(
  config: Extract<Cluster['lbConfig'], { case: 'ringHashLbConfig' }>['value'] | undefined,
  report: CompileReport,
): BalancerConfig {
  if (config !== undefined && config.hashFunction !== HashFunction.XX_HASH)
    report.ignored('ring_hash_lb_config.hash_function', 'the ring is built with xxHash64');
  const minimumRingSize = Number(config?.minimumRingSize ?? MINIMUM_RING);
  const maximumRingSize = Number(config?.maximumRingSize ?? MAXIMUM_RING);
  if (minimumRingSize > maximumRingSize)
    report.fault('ring_hash_lb_config', 'minimum_ring_size must not exceed maximum_ring_size');
  return { kind: 'ring-hash', minimumRingSize, maximumRingSize: Math.min(maximumRingSize, MAXIMUM_RING) };
}

/** Envoy: the first policy of the list that is known. */
function extensionBalancer(cluster: Cluster, report: CompileReport): BalancerConfig | undefined {
  for (const [index, policy] of (cluster.loadBalancingPolicy?.policies ?? []).entries()) {
    const any = policy.typedExtensionConfig?.typedConfig;
    const known = any === undefined ? undefined : BY_EXTENSION.get(any.typeUrl);
    if (known === undefined) continue;
    if (any !== undefined && any.value.length > 0)
      report.ignored(
        `load_balancing_policy.policies[${index}].typed_extension_config.typed_config`,
        `the settings of ${known.kind} are not read: its defaults hold`,
      );
    return known;
  }
  return undefined;
}
