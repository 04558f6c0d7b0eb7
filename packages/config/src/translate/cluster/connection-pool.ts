// DestinationRule connectionPool -> circuit breaker thresholds, timeouts and protocol options of a cluster.
import {
  type CircuitBreakers,
  CircuitBreakersSchema,
  type Cluster,
  type UpstreamHttpProtocolOptions,
  UpstreamHttpProtocolOptionsSchema,
  UpstreamConnectionOptionsSchema,
  create,
} from '@heddle/xds';
import { parseGoDuration } from '../../schema/duration.js';
import type { ConnectionPoolSpec } from '../../view/spec/istio.js';
import { type PortProtocol, isHttp2 } from '../../view/port-protocol.js';
import { durationOf } from '../wire.js';
import type { PortPolicy } from './traffic-policy.js';

/** Key of a cluster's typed extension options. */
export const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

const UNLIMITED = 4_294_967_295;

/** Istio lifts Envoy's default limits (1,024 connections, 3 retries, …) unless the rule sets them. */
export function circuitBreakers(policy: PortPolicy): CircuitBreakers {
  const { tcp = {}, http = {} } = policy.connectionPool ?? {};
  const budget = policy.retryBudget;
  return create(CircuitBreakersSchema, {
    thresholds: [
      {
        maxConnections: positive(tcp.maxConnections) ?? UNLIMITED,
        maxPendingRequests: positive(http.http1MaxPendingRequests) ?? UNLIMITED,
        maxRequests: positive(http.http2MaxRequests) ?? UNLIMITED,
        maxRetries: positive(http.maxRetries) ?? UNLIMITED,
        trackRemaining: false,
        ...(budget === undefined
          ? {}
          : {
              retryBudget: {
                budgetPercent: { value: budget.percent ?? 20 },
                minRetryConcurrency: positive(budget.minRetryConcurrency) ?? 3,
              },
            }),
      },
    ],
  });
}

/** Writes what a connection pool says into a cluster that has its defaults. */
export function applyTcpSettings(cluster: Cluster, pool: ConnectionPoolSpec | undefined): void {
  const tcp = pool?.tcp;
  const timeout = durationOf(tcp?.connectTimeout);
  if (timeout !== undefined) cluster.connectTimeout = timeout;
  const keepalive = tcp?.tcpKeepalive;
  if (keepalive === undefined) return;
  cluster.upstreamConnectionOptions = create(UpstreamConnectionOptionsSchema, {
    tcpKeepalive: {
      ...(keepalive.probes === undefined ? {} : { keepaliveProbes: keepalive.probes }),
      ...secondsField('keepaliveTime', keepalive.time),
      ...secondsField('keepaliveInterval', keepalive.interval),
    },
  });
}

function secondsField<Name extends string>(name: Name, text: string | undefined): { [key in Name]?: number } {
  const ms = text === undefined ? undefined : parseGoDuration(text);
  return ms === undefined ? {} : ({ [name]: Math.round(ms / 1000) } as { [key in Name]: number });
}

/** How the cluster speaks HTTP; undefined when Envoy's defaults say it all. */
export function httpProtocolOptions(
  protocol: PortProtocol,
  pool: ConnectionPoolSpec | undefined,
): UpstreamHttpProtocolOptions | undefined {
  const common = commonOptions(pool);
  const choice = protocolChoice(protocol, pool);
  if (common === undefined && choice === undefined) return undefined;
  return create(UpstreamHttpProtocolOptionsSchema, {
    ...(common === undefined ? {} : { commonHttpProtocolOptions: common }),
    upstreamProtocolOptions: choice ?? explicitHttp1(),
  });
}

/** True when the endpoint is spoken to in HTTP/2: by its protocol or by `h2UpgradePolicy: UPGRADE`. */
export function speaksHttp2(protocol: PortProtocol, pool: ConnectionPoolSpec | undefined): boolean {
  if (pool?.http?.useClientProtocol === true) return false;
  return isHttp2(protocol) || pool?.http?.h2UpgradePolicy === 'UPGRADE';
}

function commonOptions(pool: ConnectionPoolSpec | undefined) {
  const idleTimeout = durationOf(pool?.http?.idleTimeout ?? pool?.tcp?.idleTimeout);
  const maxConnectionDuration = durationOf(pool?.tcp?.maxConnectionDuration);
  const maxRequests = positive(pool?.http?.maxRequestsPerConnection);
  if (idleTimeout === undefined && maxConnectionDuration === undefined && maxRequests === undefined) return undefined;
  return {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(maxConnectionDuration === undefined ? {} : { maxConnectionDuration }),
    ...(maxRequests === undefined ? {} : { maxRequestsPerConnection: maxRequests }),
  };
}

type Choice = UpstreamHttpProtocolOptions['upstreamProtocolOptions'];

function protocolChoice(protocol: PortProtocol, pool: ConnectionPoolSpec | undefined): Choice | undefined {
  if (speaksHttp2(protocol, pool)) return explicitHttp2(pool);
  if (pool?.http?.useClientProtocol === true || protocol === 'auto') return asDownstream();
  return undefined;
}

export function explicitHttp1(): Choice {
  return create(UpstreamHttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'httpProtocolOptions', value: {} } },
    },
  }).upstreamProtocolOptions;
}

function explicitHttp2(pool: ConnectionPoolSpec | undefined): Choice {
  const streams = positive(pool?.http?.maxConcurrentStreams);
  const keepalive = pool?.http?.http2KeepAlive;
  const interval = durationOf(keepalive?.interval);
  const timeout = durationOf(keepalive?.timeout);
  const value = {
    ...(streams === undefined ? {} : { maxConcurrentStreams: streams }),
    ...(interval === undefined && timeout === undefined
      ? {}
      : {
          connectionKeepalive: {
            ...(interval === undefined ? {} : { interval }),
            ...(timeout === undefined ? {} : { timeout }),
          },
        }),
  };
  return create(UpstreamHttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'http2ProtocolOptions', value } },
    },
  }).upstreamProtocolOptions;
}

/** HTTP/1.1 or HTTP/2, whichever the caller spoke (ports whose protocol is not declared). */
export function asDownstream(): Choice {
  return create(UpstreamHttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: 'useDownstreamProtocolConfig',
      value: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
    },
  }).upstreamProtocolOptions;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
