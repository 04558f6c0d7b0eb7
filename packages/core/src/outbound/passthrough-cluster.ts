// The cluster of calls to hosts that the mesh knows nothing about, where the feed sends none of its own (Istio: PassthroughCluster).
import type { ClusterSnapshot } from '../snapshot/cluster-snapshot.js';

const UNLIMITED = 4_294_967_295;

const PASSTHROUGH = Object.freeze<ClusterSnapshot>({
  name: 'PassthroughCluster',
  version: '',
  discovery: 'original-dst',
  service: undefined,
  balancer: { kind: 'cluster-provided' },
  priorities: [],
  endpointsKnown: true,
  overprovisioningFactor: 140,
  panicThresholdPercent: 0,
  connectTimeoutMs: 10_000,
  limits: {
    maxConnections: UNLIMITED,
    maxPendingRequests: UNLIMITED,
    maxRequests: UNLIMITED,
    maxRetries: UNLIMITED,
  },
  outlier: undefined,
  http2: false,
  // Hosts outside close idle connections early, and most say nothing of it: undici's own default.
  idleTimeoutMs: 4_000,
  maxRequestsPerConnection: 0,
  tlsFor: () => undefined,
});

export function passthroughCluster(): ClusterSnapshot {
  return PASSTHROUGH;
}
