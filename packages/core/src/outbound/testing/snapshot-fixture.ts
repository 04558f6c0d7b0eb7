// Small snapshots made by hand for tests of the outbound side: hosts, clusters and routes in a few lines, every other field at its default.
import type {
  ClusterSnapshot,
  EndpointSnapshot,
  OutlierConfig,
  CircuitBreakerLimits,
} from '../../snapshot/cluster-snapshot.js';
import type {
  ForwardAction,
  RetryConditions,
  RetryPlan,
  RoutePlan,
  WeightedClusters,
} from '../../snapshot/route-snapshot.js';
import type { Snapshot } from '../../snapshot/snapshot.js';
import type { UpstreamSecurity } from '../../identity/connection-security.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { OutboundTelemetry } from '../../telemetry/call-telemetry.js';
import type { RequestContext } from '../../telemetry/request-context.js';

export const DEFAULT_LIMITS: CircuitBreakerLimits = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
};

export const NO_CONDITIONS: RetryConditions = {
  on5xx: false,
  gatewayError: false,
  reset: false,
  resetBeforeRequest: false,
  connectFailure: false,
  refusedStream: false,
  retriable4xx: false,
  envoyRateLimited: false,
  statusCodes: [],
  grpcCodes: [],
};

export const DEFAULT_OUTLIER: OutlierConfig = {
  consecutive5xx: 5,
  enforcingConsecutive5xx: 100,
  consecutiveGatewayFailure: 5,
  enforcingConsecutiveGatewayFailure: 0,
  consecutiveLocalOriginFailure: 5,
  enforcingConsecutiveLocalOriginFailure: 100,
  splitExternalLocalOriginErrors: false,
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionTimeJitterMs: 0,
  maxEjectionPercent: 100,
  successRate: undefined,
  failurePercentage: undefined,
};

export function endpoint(address: string, changes: Partial<EndpointSnapshot> = {}): EndpointSnapshot {
  const colon = address.lastIndexOf(':');
  return {
    address,
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    hostname: undefined,
    weight: 1,
    health: 'healthy',
    tlsMode: undefined,
    workload: undefined,
    subsetMetadata: undefined,
    ...changes,
  };
}

export function cluster(
  name: string,
  endpoints: readonly (string | EndpointSnapshot)[],
  changes: Partial<ClusterSnapshot> = {},
): ClusterSnapshot {
  const list = endpoints.map((each) => (typeof each === 'string' ? endpoint(each) : each));
  return {
    name,
    version: '1',
    discovery: 'eds',
    service: undefined,
    balancer: { kind: 'round-robin' },
    priorities: [{ localities: [{ region: '', zone: '', subZone: '', weight: 0, endpoints: list }] }],
    endpointsKnown: true,
    overprovisioningFactor: 140,
    panicThresholdPercent: 0,
    connectTimeoutMs: 1_000,
    limits: DEFAULT_LIMITS,
    outlier: undefined,
    http2: false,
    idleTimeoutMs: 60_000,
    maxRequestsPerConnection: 0,
    tlsFor: () => undefined,
    ...changes,
  };
}

export function retryPlan(conditions: Partial<RetryConditions>, changes: Partial<RetryPlan> = {}): RetryPlan {
  return {
    conditions: { ...NO_CONDITIONS, ...conditions },
    numRetries: 2,
    perTryTimeoutMs: 0,
    perTryIdleTimeoutMs: 0,
    backOffBaseMs: 25,
    backOffMaxMs: 250,
    avoidPreviousHosts: false,
    hostSelectionAttempts: 1,
    ...changes,
  };
}

export function weighted(shares: Readonly<Record<string, number>>): WeightedClusters {
  let cumulativeWeight = 0;
  const entries = Object.entries(shares).map(([name, weight]) => {
    cumulativeWeight += weight;
    return {
      name,
      weight,
      cumulativeWeight,
      requestHeaders: undefined,
      responseHeaders: undefined,
      filters: undefined,
    };
  });
  return { entries, totalWeight: cumulativeWeight };
}

export function route(
  action: Partial<ForwardAction> | RoutePlan['action'],
  changes: Partial<RoutePlan> = {},
): RoutePlan {
  const forward: ForwardAction = {
    kind: 'forward',
    clusters: weighted({ upstream: 1 }),
    timeoutMs: 0,
    idleTimeoutMs: undefined,
    retry: undefined,
    hostRewrite: undefined,
    rewritePath: undefined,
    mirrors: [],
    hash: undefined,
  };
  const made = action.kind === 'redirect' || action.kind === 'direct-response' ? action : { ...forward, ...action };
  return {
    routeName: 'default',
    virtualHostName: 'upstream',
    tableName: '80',
    index: 0,
    action: made,
    filters: [],
    requestHeaders: undefined,
    responseHeaders: undefined,
    sourceObject: undefined,
    ...changes,
  };
}

/** One listener for every port; `match` finds the route of an authority. */
export function snapshot(
  clusters: readonly ClusterSnapshot[],
  match: (authority: string, path: string) => RoutePlan | undefined,
  generation = 1,
): Snapshot {
  const byName = new Map(clusters.map((each) => [each.name, each]));
  const table = {
    name: '80',
    version: '1',
    virtualHost: (authority: string) => ({
      name: authority,
      match: (head: { path: string }) => match(authority, head.path),
      explain: () => ({ plan: undefined, steps: [] }),
    }),
  };
  const listener = {
    name: '0.0.0.0_80',
    target: { kind: 'http' as const, routeName: '80', inlineRoutes: table, filters: [] },
  };
  return {
    generation,
    outboundListener: () => listener,
    listenerByName: () => listener,
    routeTable: () => table,
    cluster: (name) => byName.get(name),
    clusterNames: () => [...byName.keys()],
    inbound: undefined,
    unsupported: () => [],
  };
}

/** Plain text only: any policy that asks for TLS fails the test. */
export const plainSecurity: UpstreamSecurity = {
  generation: 1,
  connectOptions() {
    throw new Error('no TLS in this test');
  },
  verifyServer: () => ({ ok: false, reason: 'no TLS in this test' }),
};

/** Keeps the records of finished calls; writes no headers. */
export class RecordingTelemetry implements OutboundTelemetry {
  readonly finished: CallRecord[] = [];
  context: RequestContext | undefined = undefined;

  currentContext(): RequestContext | undefined {
    return this.context;
  }

  startAttemptSpan(): undefined {
    return undefined;
  }

  writeHeaders(): string {
    return 'request-1';
  }

  finish(call: CallRecord): void {
    this.finished.push({ ...call });
  }
}
