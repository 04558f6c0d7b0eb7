// Outlier detection with Envoy's defaults filled in (Envoy: OutlierDetection), and circuit-breaker limits.
import { type CircuitBreakers, type OutlierDetection, RoutingPriority } from '@heddle/xds';
import { durationMs } from '../../filters/filter-config.js';
import type { CircuitBreakerLimits, OutlierConfig } from '../cluster-snapshot.js';

export function compileOutlier(message: OutlierDetection | undefined): OutlierConfig | undefined {
  if (message === undefined) return undefined;
  const baseEjectionTimeMs = durationMs(message.baseEjectionTime) ?? 30_000;
  return {
    consecutive5xx: message.consecutive5xx ?? 5,
    enforcingConsecutive5xx: message.enforcingConsecutive5xx ?? 100,
    consecutiveGatewayFailure: message.consecutiveGatewayFailure ?? 5,
    enforcingConsecutiveGatewayFailure: message.enforcingConsecutiveGatewayFailure ?? 0,
    consecutiveLocalOriginFailure: message.consecutiveLocalOriginFailure ?? 5,
    enforcingConsecutiveLocalOriginFailure: message.enforcingConsecutiveLocalOriginFailure ?? 100,
    splitExternalLocalOriginErrors: message.splitExternalLocalOriginErrors,
    intervalMs: durationMs(message.interval) ?? 10_000,
    baseEjectionTimeMs,
    maxEjectionTimeMs: durationMs(message.maxEjectionTime) ?? Math.max(baseEjectionTimeMs, 300_000),
    maxEjectionTimeJitterMs: durationMs(message.maxEjectionTimeJitter) ?? 0,
    maxEjectionPercent: message.maxEjectionPercent ?? 10,
    alwaysEjectOneHost: message.alwaysEjectOneHost ?? false,
    successRate: successRateOf(message),
    failurePercentage: failurePercentageOf(message),
  };
}

/** Envoy detects by success rate unless it is switched off. The factor is given in thousandths. */
function successRateOf(message: OutlierDetection): OutlierConfig['successRate'] {
  const enforcing = message.enforcingSuccessRate ?? 100;
  if (enforcing === 0) return undefined;
  return {
    enforcing,
    minimumHosts: message.successRateMinimumHosts ?? 5,
    requestVolume: message.successRateRequestVolume ?? 100,
    stdevFactor: (message.successRateStdevFactor ?? 1900) / 1000,
  };
}

function failurePercentageOf(message: OutlierDetection): OutlierConfig['failurePercentage'] {
  const enforcing = message.enforcingFailurePercentage ?? 0;
  if (enforcing === 0) return undefined;
  return {
    enforcing,
    minimumHosts: message.failurePercentageMinimumHosts ?? 5,
    requestVolume: message.failurePercentageRequestVolume ?? 50,
    threshold: message.failurePercentageThreshold ?? 85,
  };
}

/** The thresholds of the default priority (Envoy: 1024, 1024, 1024, 3 where unset). */
export function compileLimits(message: CircuitBreakers | undefined): CircuitBreakerLimits {
  const own = message?.thresholds.find((threshold) => threshold.priority === RoutingPriority.DEFAULT);
  return {
    maxConnections: own?.maxConnections ?? 1024,
    maxPendingRequests: own?.maxPendingRequests ?? 1024,
    maxRequests: own?.maxRequests ?? 1024,
    maxRetries: own?.maxRetries ?? 3,
  };
}
