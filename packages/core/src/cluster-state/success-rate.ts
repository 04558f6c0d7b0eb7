// The two statistical outlier detectors as pure functions (Envoy: outlier_detection_impl.cc, processSuccessRateEjections).

/** Successes and requests of one host in the last interval. */
export interface HostWindow {
  readonly requests: number;
  readonly successes: number;
}

export interface SuccessRateThreshold {
  readonly average: number;
  readonly threshold: number;
}

/** Percent of successes, or -1 with fewer requests than `minimumRequests`. */
export function successRateOf(window: HostWindow, minimumRequests: number): number {
  if (window.requests < minimumRequests || window.requests === 0) return -1;
  return (100 * window.successes) / window.requests;
}

/** Mean minus `stdevFactor` standard deviations (population): a host below it is an outlier. */
export function successRateThreshold(rates: readonly number[], stdevFactor: number): SuccessRateThreshold {
  const average = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - average) ** 2, 0) / rates.length;
  return { average, threshold: average - stdevFactor * Math.sqrt(variance) };
}
