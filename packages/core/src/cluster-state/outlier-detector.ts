// Outlier detection of one cluster: counts failures, ejects, and lets back in (Envoy: source/common/upstream/outlier_detection_impl.cc).
import type { Draws } from '../draws.js';
import type { OutlierConfig } from '../snapshot/cluster-snapshot.js';
import type { EndpointState } from './endpoint-state.js';
import { successRateOf, successRateThreshold } from './success-rate.js';

export type EjectionCause =
  | 'consecutive-5xx'
  | 'consecutive-gateway-failure'
  | 'consecutive-local-origin-failure'
  | 'success-rate'
  | 'failure-percentage';

export interface EjectionCount {
  detected: number;
  enforced: number;
}

/** Hosts of the cluster as the detector meets them. */
export interface DetectorHosts {
  readonly size: number;
  values(): Iterable<EndpointState>;
}

export class OutlierDetector {
  readonly counts: Readonly<Record<EjectionCause, EjectionCount>> = {
    'consecutive-5xx': { detected: 0, enforced: 0 },
    'consecutive-gateway-failure': { detected: 0, enforced: 0 },
    'consecutive-local-origin-failure': { detected: 0, enforced: 0 },
    'success-rate': { detected: 0, enforced: 0 },
    'failure-percentage': { detected: 0, enforced: 0 },
  };
  activeEjections = 0;
  /** Ejections that maxEjectionPercent forbade. */
  overflows = 0;
  lastSuccessRate = { average: -1, threshold: -1 };
  config: OutlierConfig;
  readonly #hosts: DetectorHosts;
  readonly #draw: Draws;
  /** Told after every ejection and return. */
  readonly #onChange: () => void;

  constructor(config: OutlierConfig, hosts: DetectorHosts, draw: Draws, onChange: () => void) {
    this.config = config;
    this.#hosts = hosts;
    this.#draw = draw;
    this.#onChange = onChange;
  }

  /** True while a sweep has something to do: someone is out, or is still paying off, or rates are being measured. */
  get needsSweep(): boolean {
    if (this.activeEjections > 0) return true;
    for (const host of this.#hosts.values()) if (host.ejectionMultiplier > 0 || host.intervalRequests > 0) return true;
    return false;
  }

  get measuresRates(): boolean {
    return this.config.successRate !== undefined || this.config.failurePercentage !== undefined;
  }

  /** The upstream answered with this HTTP status (gRPC: the status that its code maps to). */
  onStatus(host: EndpointState, status: number, nowMs: number): void {
    if (this.measuresRates) host.intervalRequests += 1;
    // An answer of any kind is a success of the local origin.
    if (this.config.splitExternalLocalOriginErrors) host.consecutiveLocalOriginFailure = 0;
    if (status < 500) {
      if (this.measuresRates) host.intervalSuccesses += 1;
      host.consecutive5xx = 0;
      host.consecutiveGatewayFailure = 0;
      return;
    }
    if (status >= 502 && status <= 504) {
      if (++host.consecutiveGatewayFailure === this.config.consecutiveGatewayFailure)
        this.#detected(host, 'consecutive-gateway-failure', nowMs);
    } else host.consecutiveGatewayFailure = 0;
    if (++host.consecutive5xx === this.config.consecutive5xx) this.#detected(host, 'consecutive-5xx', nowMs);
  }

  /** No answer: connecting failed, the connection broke, or a try timed out. Counted as 503 or 504 unless origins are split. */
  onLocalOriginFailure(host: EndpointState, timedOut: boolean, nowMs: number): void {
    if (!this.config.splitExternalLocalOriginErrors) return this.onStatus(host, timedOut ? 504 : 503, nowMs);
    if (++host.consecutiveLocalOriginFailure === this.config.consecutiveLocalOriginFailure)
      this.#detected(host, 'consecutive-local-origin-failure', nowMs);
  }

  /** The periodic sweep: lets hosts back in whose time is over, then looks at the rates of the interval. */
  sweep(nowMs: number): void {
    for (const host of this.#hosts.values()) this.#checkReturn(host, nowMs);
    this.#sweepRates(nowMs);
    for (const host of this.#hosts.values()) {
      host.intervalRequests = 0;
      host.intervalSuccesses = 0;
    }
  }

  /** A host left the cluster: it no longer counts as ejected. */
  forget(host: EndpointState): void {
    if (host.ejected) this.activeEjections -= 1;
    host.ejected = false;
  }

  /** When an ejected host may come back, at the first sweep from then on. */
  ejectedUntilMs(host: EndpointState): number {
    const { baseEjectionTimeMs, maxEjectionTimeMs } = this.config;
    const ejectionMs = Math.min(
      host.ejectionMultiplier * baseEjectionTimeMs,
      Math.max(baseEjectionTimeMs, maxEjectionTimeMs),
    );
    return host.ejectedAtMs + ejectionMs + host.ejectionJitterMs;
  }

  #checkReturn(host: EndpointState, nowMs: number): void {
    if (!host.ejected) {
      if (host.ejectionMultiplier > 0) host.ejectionMultiplier -= 1;
      return;
    }
    if (nowMs < this.ejectedUntilMs(host)) return;
    host.ejected = false;
    this.activeEjections -= 1;
    // A counter that did not trigger may stand just below its limit: it starts anew, too.
    host.consecutive5xx = 0;
    host.consecutiveGatewayFailure = 0;
    host.consecutiveLocalOriginFailure = 0;
    this.#onChange();
  }

  #sweepRates(nowMs: number): void {
    const { successRate, failurePercentage } = this.config;
    this.lastSuccessRate = { average: -1, threshold: -1 };
    if (successRate === undefined && failurePercentage === undefined) return;
    const hosts = [...this.#hosts.values()];
    const volume = Math.min(successRate?.requestVolume ?? Infinity, failurePercentage?.requestVolume ?? Infinity);
    for (const host of hosts)
      host.successRate = successRateOf({ requests: host.intervalRequests, successes: host.intervalSuccesses }, volume);
    const measured = (minimum: number) => hosts.filter((host) => host.intervalRequests >= minimum && !host.ejected);
    if (successRate !== undefined) {
      const valid = measured(successRate.requestVolume);
      if (valid.length >= successRate.minimumHosts && valid.length > 0) {
        this.lastSuccessRate = successRateThreshold(
          valid.map((host) => host.successRate),
          successRate.stdevFactor,
        );
        for (const host of valid)
          if (host.successRate < this.lastSuccessRate.threshold) this.#detected(host, 'success-rate', nowMs);
      }
    }
    if (failurePercentage !== undefined) {
      const valid = measured(failurePercentage.requestVolume);
      if (valid.length < failurePercentage.minimumHosts) return;
      for (const host of valid)
        if (100 - host.successRate >= failurePercentage.threshold) this.#detected(host, 'failure-percentage', nowMs);
    }
  }

  #detected(host: EndpointState, cause: EjectionCause, nowMs: number): void {
    if (host.ejected) return;
    this.counts[cause].detected += 1;
    this.#eject(host, cause, nowMs);
    if (cause === 'consecutive-5xx') host.consecutive5xx = 0;
    else if (cause === 'consecutive-gateway-failure') host.consecutiveGatewayFailure = 0;
    else if (cause === 'consecutive-local-origin-failure') host.consecutiveLocalOriginFailure = 0;
  }

  #eject(host: EndpointState, cause: EjectionCause, nowMs: number): void {
    const percent = (100 * (this.activeEjections + 1)) / Math.max(1, this.#hosts.size);
    const forced = this.config.alwaysEjectOneHost === true && this.activeEjections === 0;
    if (!forced && percent > this.config.maxEjectionPercent) {
      this.overflows += 1;
      return;
    }
    if (this.#draw('outlier-enforcing') * 100 >= this.#enforcing(cause)) return;
    this.counts[cause].enforced += 1;
    host.ejected = true;
    host.ejectedAtMs = nowMs;
    host.ejectionJitterMs = this.#jitterMs();
    this.activeEjections += 1;
    // Envoy caps in whole steps: the multiplier stops growing once the time reaches max_ejection_time.
    if (host.ejectionMultiplier * this.config.baseEjectionTimeMs < this.config.maxEjectionTimeMs)
      host.ejectionMultiplier += 1;
    this.#onChange();
  }

  /** Whole milliseconds from 0 to max_ejection_time_jitter. */
  #jitterMs(): number {
    const { maxEjectionTimeJitterMs } = this.config;
    return maxEjectionTimeJitterMs > 0 ? Math.floor(this.#draw('ejection-jitter') * (maxEjectionTimeJitterMs + 1)) : 0;
  }

  #enforcing(cause: EjectionCause): number {
    switch (cause) {
      case 'consecutive-5xx':
        return this.config.enforcingConsecutive5xx;
      case 'consecutive-gateway-failure':
        return this.config.enforcingConsecutiveGatewayFailure;
      case 'consecutive-local-origin-failure':
        return this.config.enforcingConsecutiveLocalOriginFailure;
      case 'success-rate':
        return this.config.successRate?.enforcing ?? 0;
      case 'failure-percentage':
        return this.config.failurePercentage?.enforcing ?? 0;
    }
  }
}
