// All series of calls: capped, with an overflow series beyond the cap (a path or a stranger's header must not fill the memory), and rid of those
// that nobody uses any more.
import type { CallRecord } from '../call-record.js';
import { callLabels, overflowLabels } from './call-labels.js';
import { CallSeries } from './call-series.js';
import { PeerCache } from './peer-metadata.js';
import { SeriesIndex } from './series-index.js';
import type { WorkloadLabels } from './workload-labels.js';

export interface SeriesLimits {
  /** Label sets; calls beyond them count in overflow series. Default 2000. */
  readonly maxSeries?: number | undefined;
  /** Distinct hosts taken from the Host header (unknown services); beyond them `other`. Default 200. */
  readonly maxFallbackHosts?: number | undefined;
  /** A series without a call for this long goes, as Envoy's stats eviction. Default 1 hour. */
  readonly idleMs?: number | undefined;
}

const DEFAULT_MAX_SERIES = 2000;
const DEFAULT_MAX_FALLBACK_HOSTS = 200;
const DEFAULT_IDLE_MS = 3_600_000;
/** Looking for idle series walks all of them: at most once in this time when the cap is reached. */
const SWEEP_INTERVAL_MS = 60_000;
const OTHER_HOSTS = 'other';

export class SeriesTable {
  readonly #own: WorkloadLabels;
  readonly #ownPrincipal: () => string | undefined;
  readonly #maxSeries: number;
  readonly #maxFallbackHosts: number;
  readonly #idleMs: number;
  readonly #series = new Map<string, CallSeries>();
  readonly #overflow = new Map<string, CallSeries>();
  readonly #fallbackHosts = new Set<string>();
  readonly #peers = new PeerCache();
  readonly #index: SeriesIndex;
  #sweptMs = -Infinity;
  /** Calls that were counted in an overflow series. */
  overflowed = 0;

  constructor(own: WorkloadLabels, ownPrincipal: () => string | undefined, limits: SeriesLimits = {}) {
    this.#own = own;
    this.#ownPrincipal = ownPrincipal;
    this.#maxSeries = limits.maxSeries ?? DEFAULT_MAX_SERIES;
    this.#maxFallbackHosts = limits.maxFallbackHosts ?? DEFAULT_MAX_FALLBACK_HOSTS;
    this.#idleMs = limits.idleMs ?? DEFAULT_IDLE_MS;
    this.#index = new SeriesIndex(2 * this.#maxSeries);
  }

  /** Adds one finished call. */
  record(call: CallRecord): void {
    const ownPrincipal = this.#ownPrincipal() ?? '';
    const series = this.#index.find(call, ownPrincipal) ?? this.#resolve(call, ownPrincipal);
    series.record(call);
  }

  /** The series to expose, without those that are idle since `idleMs`. */
  current(nowMs: number): readonly CallSeries[] {
    this.#sweep(nowMs);
    return [...this.#series.values(), ...this.#overflow.values()];
  }

  get size(): number {
    return this.#series.size;
  }

  #resolve(call: CallRecord, ownPrincipal: string): CallSeries {
    const peer = this.#peers.peerOf(call.peerMetadata);
    const fallbackHost = this.#hostOf(call);
    const labels = callLabels(call, { own: this.#own, ownPrincipal, peer: peer.labels, fallbackHost });
    const series = this.#series.get(labels) ?? this.#create(call, labels);
    if (series === undefined) return this.#overflowSeries(call);
    if (fallbackHost !== OTHER_HOSTS) this.#index.add(call, peer, ownPrincipal, series);
    return series;
  }

  #create(call: CallRecord, labels: string): CallSeries | undefined {
    if (this.#series.size >= this.#maxSeries) {
      if (call.endMs - this.#sweptMs >= SWEEP_INTERVAL_MS) this.#sweep(call.endMs);
      if (this.#series.size >= this.#maxSeries) return undefined;
    }
    const series = new CallSeries(labels, call.protocol === 'tcp');
    this.#series.set(labels, series);
    return series;
  }

  #overflowSeries(call: CallRecord): CallSeries {
    this.overflowed++;
    const labels = overflowLabels(call, this.#own);
    let series = this.#overflow.get(labels);
    if (series === undefined) {
      series = new CallSeries(labels, call.protocol === 'tcp');
      this.#overflow.set(labels, series);
    }
    return series;
  }

  /** The host of destination_service: a service's is bounded by the configuration, one from the Host header by us. */
  #hostOf(call: CallRecord): string {
    if (call.reporter === 'destination') return '';
    const host = call.destinationHost || call.authority;
    if (call.destinationNamespace !== '' || this.#fallbackHosts.has(host)) return host;
    if (this.#fallbackHosts.size >= this.#maxFallbackHosts) return OTHER_HOSTS;
    this.#fallbackHosts.add(host);
    return host;
  }

  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    let removed = 0;
    for (const [labels, series] of this.#series) {
      if (nowMs - series.lastMs < this.#idleMs) continue;
      this.#series.delete(labels);
      removed++;
    }
    if (removed > 0) this.#index.clear();
  }
}
