// DestinationRule outlierDetection -> Envoy's. Istio turns success-rate ejection off and enforces what is set (applyOutlierDetection).
import { type Cluster, OutlierDetectionSchema, PercentSchema, create } from '@heddle/xds';
import type { OutlierDetectionSpec } from '../../view/spec/istio.js';
import { durationOf } from '../wire.js';

export function applyOutlierDetection(cluster: Cluster, spec: OutlierDetectionSpec | undefined): void {
  if (spec === undefined) return;
  const out = create(OutlierDetectionSchema, { enforcingSuccessRate: 0 });
  const { consecutive5xxErrors, consecutiveGatewayErrors, maxEjectionPercent } = spec;
  if (consecutive5xxErrors !== undefined) {
    out.consecutive5xx = consecutive5xxErrors;
    out.enforcingConsecutive5xx = consecutive5xxErrors > 0 ? 100 : 0;
  }
  if (consecutiveGatewayErrors !== undefined) {
    out.consecutiveGatewayFailure = consecutiveGatewayErrors;
    out.enforcingConsecutiveGatewayFailure = consecutiveGatewayErrors > 0 ? 100 : 0;
  }
  const interval = durationOf(spec.interval);
  const baseEjectionTime = durationOf(spec.baseEjectionTime);
  if (interval !== undefined) out.interval = interval;
  if (baseEjectionTime !== undefined) out.baseEjectionTime = baseEjectionTime;
  if (maxEjectionPercent !== undefined && maxEjectionPercent > 0) out.maxEjectionPercent = maxEjectionPercent;
  if (spec.splitExternalLocalOriginErrors === true) {
    out.splitExternalLocalOriginErrors = true;
    out.enforcingLocalOriginSuccessRate = 0;
    const failures = spec.consecutiveLocalOriginFailures ?? 0;
    if (failures > 0) {
      out.consecutiveLocalOriginFailure = failures;
      out.enforcingConsecutiveLocalOriginFailure = 100;
    }
  }
  cluster.outlierDetection = out;
  if (cluster.commonLbConfig !== undefined) {
    cluster.commonLbConfig.healthyPanicThreshold = create(PercentSchema, { value: spec.minHealthPercent ?? 0 });
  }
}
