// What `explain`, `status` and the console show of a cluster right now.
import type { ClusterState } from './cluster-state.js';

export interface EndpointReport {
  readonly address: string;
  readonly priority: number;
  readonly locality: string;
  readonly weight: number;
  /** `healthy` and `degraded` take calls; `ejected` comes back; the rest is the feed's own health verdict. */
  readonly state: 'healthy' | 'degraded' | 'ejected' | 'unhealthy' | 'draining' | 'timeout';
  /** For ejected endpoints: milliseconds until the ejection time is over (0 = at the next sweep). */
  readonly ejectedForMs: number | undefined;
  readonly activeRequests: number;
  readonly totalRequests: number;
  readonly failedRequests: number;
  readonly consecutive5xx: number;
  readonly workload: string | undefined;
}

export interface ClusterReport {
  readonly name: string;
  readonly balancer: string;
  readonly endpoints: readonly EndpointReport[];
  readonly activeRequests: number;
  readonly waitingRequests: number;
  readonly activeRetries: number;
  readonly requestOverflows: number;
  readonly pendingOverflows: number;
  readonly retryOverflows: number;
  readonly activeEjections: number;
  readonly totalEjections: number;
  readonly refusedEjections: number;
}

export function reportCluster(state: ClusterState, nowMs: number): ClusterReport {
  const { breaker, detector } = state;
  const ejections = detector === undefined ? [] : Object.values(detector.counts);
  return {
    name: state.name,
    balancer: state.snapshot.balancer.kind,
    endpoints: reportEndpoints(state, nowMs),
    activeRequests: breaker.activeRequests,
    waitingRequests: breaker.waiting,
    activeRetries: breaker.activeRetries,
    requestOverflows: breaker.requestOverflows,
    pendingOverflows: breaker.pendingOverflows,
    retryOverflows: breaker.retryOverflows,
    activeEjections: detector?.activeEjections ?? 0,
    totalEjections: ejections.reduce((sum, count) => sum + count.enforced, 0),
    refusedEjections: detector?.overflows ?? 0,
  };
}

function reportEndpoints(state: ClusterState, nowMs: number): EndpointReport[] {
  const places = new Map<string, { priority: number; locality: string }>();
  state.snapshot.priorities.forEach((priority, index) => {
    for (const { region, zone, subZone, endpoints } of priority.localities)
      for (const endpoint of endpoints)
        places.set(endpoint.address, { priority: index, locality: [region, zone, subZone].filter(Boolean).join('/') });
  });
  return [...state.endpoints.values()].map((endpoint): EndpointReport => {
    const health = endpoint.endpoint.health;
    const until = endpoint.ejected ? state.detector?.ejectedUntilMs(endpoint) : undefined;
    return {
      address: endpoint.address,
      priority: places.get(endpoint.address)?.priority ?? 0,
      locality: places.get(endpoint.address)?.locality ?? '',
      weight: endpoint.weight,
      state: endpoint.ejected ? 'ejected' : health === 'unknown' ? 'healthy' : health,
      ejectedForMs: until === undefined ? undefined : Math.max(0, until - nowMs),
      activeRequests: endpoint.activeRequests,
      totalRequests: endpoint.totalRequests,
      failedRequests: endpoint.failedRequests,
      consecutive5xx: endpoint.consecutive5xx,
      workload: endpoint.endpoint.workload,
    };
  });
}
