// Fault injection and CORS of a rule, as configuration of their filters for one route.
import {
  type Any,
  CorsPolicySchema,
  FaultAbortSchema,
  FaultDelaySchema,
  HTTPFaultSchema,
  create,
  packAny,
} from '@heddle/xds';
import { parseGoDuration } from '../../schema/duration.js';
import type { CorsSpec, FaultSpec, HttpRuleSpec, StringMatch } from '../../view/spec/istio.js';
import { durationOf, hundredth, millionth, stringMatcher } from '../wire.js';

export const FAULT_FILTER = 'envoy.filters.http.fault';
export const CORS_FILTER = 'envoy.filters.http.cors';

/** Names of gRPC status codes as VirtualServices write them. */
const GRPC_STATUS = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS',
  'UNAUTHENTICATED',
]; // prettier-ignore

export function filtersPerRoute(rule: HttpRuleSpec): Record<string, Any> {
  const fault = rule.fault === undefined ? undefined : faultFilter(rule.fault);
  return {
    ...(rule.corsPolicy === undefined ? {} : { [CORS_FILTER]: corsPolicy(rule.corsPolicy) }),
    ...(fault === undefined ? {} : { [FAULT_FILTER]: fault }),
  };
}

function faultFilter(spec: FaultSpec): Any | undefined {
  const fault = create(HTTPFaultSchema);
  const fixedDelay = durationOf(spec.delay?.fixedDelay);
  if (spec.delay !== undefined && fixedDelay !== undefined) {
    const { percent, percentage } = spec.delay;
    fault.delay = create(FaultDelaySchema, {
      faultDelaySecifier: { case: 'fixedDelay', value: fixedDelay },
      percentage: percentage === undefined ? hundredth(percent ?? 0) : millionth(percentage.value ?? 0),
    });
  }
  const abort = spec.abort === undefined ? undefined : errorType(spec.abort);
  if (abort !== undefined) {
    fault.abort = create(FaultAbortSchema, { errorType: abort });
    const percentage = spec.abort?.percentage;
    if (percentage !== undefined) fault.abort.percentage = millionth(percentage.value ?? 0);
  }
  return fault.delay === undefined && fault.abort === undefined ? undefined : packAny(HTTPFaultSchema, fault);
}

function errorType(abort: NonNullable<FaultSpec['abort']>) {
  if (abort.httpStatus !== undefined) return { case: 'httpStatus', value: abort.httpStatus } as const;
  const code = GRPC_STATUS.indexOf(abort.grpcStatus ?? '');
  return code < 0 ? undefined : ({ case: 'grpcStatus', value: code } as const);
}

function corsPolicy(spec: CorsSpec): Any {
  const origins: readonly StringMatch[] = spec.allowOrigins ?? (spec.allowOrigin ?? []).map((exact) => ({ exact }));
  const maxAgeMs = spec.maxAge === undefined ? undefined : parseGoDuration(spec.maxAge);
  return packAny(CorsPolicySchema, {
    allowOriginStringMatch: origins.map(stringMatcher).filter((matcher) => matcher !== undefined),
    allowMethods: (spec.allowMethods ?? []).join(','),
    allowHeaders: (spec.allowHeaders ?? []).join(','),
    exposeHeaders: (spec.exposeHeaders ?? []).join(','),
    ...(maxAgeMs === undefined ? {} : { maxAge: String(Math.trunc(maxAgeMs / 1000)) }),
    ...(spec.allowCredentials === undefined ? {} : { allowCredentials: spec.allowCredentials }),
    filterEnabled: { defaultValue: hundredth(100) },
    forwardNotMatchingPreflights: spec.unmatchedPreflights !== 'IGNORE',
  });
}
