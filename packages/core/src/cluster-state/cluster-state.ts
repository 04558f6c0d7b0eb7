// Everything mutable about one cluster: its endpoints' states, its circuit breaker, its outlier detector and its current picker.
import type { Picker } from '../balance/picker.js';
import { selectHosts, type LocalityHosts } from '../balance/host-selection.js';
import type { Clock, Timer } from '../clock.js';
import type { Draws } from '../draws.js';
import type { ClusterSnapshot, EndpointSnapshot, PrioritySnapshot } from '../snapshot/cluster-snapshot.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { EndpointState } from './endpoint-state.js';
import { OutlierDetector } from './outlier-detector.js';

/** Destinations that calls name themselves are bounded: the first idle one makes room. */
const MAX_DYNAMIC_ENDPOINTS = 4096;

export class ClusterState {
  readonly name: string;
  readonly breaker: CircuitBreaker;
  readonly endpoints = new Map<string, EndpointState>();
  snapshot: ClusterSnapshot;
  detector: OutlierDetector | undefined;
  readonly #clock: Clock;
  readonly #draw: Draws;
  #picker: Picker<EndpointState> | undefined = undefined;
  /** The endpoints in force: the snapshot's, or what DNS made of them. */
  #priorities: readonly PrioritySnapshot[];
  #resolvedNames = '';
  #sweepTimer: Timer | undefined = undefined;

  constructor(snapshot: ClusterSnapshot, clock: Clock, draw: Draws) {
    this.name = snapshot.name;
    this.snapshot = snapshot;
    this.breaker = new CircuitBreaker(snapshot.limits, snapshot.http2);
    this.#clock = clock;
    this.#draw = draw;
    this.#priorities = snapshot.priorities;
    this.#setDetector(snapshot);
    this.#reconcile();
  }

  /** Takes over a newer configuration. Endpoints keep their state by address; those that are gone drain. */
  update(snapshot: ClusterSnapshot): void {
    this.snapshot = snapshot;
    this.breaker.update(snapshot.limits, snapshot.http2);
    this.#setDetector(snapshot);
    // Names that stay the same keep the addresses that they resolved to.
    const resolved = snapshot.discovery === 'strict-dns' && namesOf(snapshot) === this.#resolvedNames;
    if (!resolved) this.#priorities = snapshot.priorities;
    this.#reconcile();
  }

  /** Replaces the endpoints by what DNS resolved them to, until the next configuration. */
  setResolved(priorities: readonly PrioritySnapshot[]): void {
    this.#priorities = priorities;
    this.#resolvedNames = namesOf(this.snapshot);
    this.#reconcile();
  }

  /** The endpoint of a destination that only the call knows (original destination), made on first use. */
  dynamicEndpoint(endpoint: EndpointSnapshot): EndpointState {
    let state = this.endpoints.get(endpoint.address);
    if (state === undefined) {
      if (this.endpoints.size >= MAX_DYNAMIC_ENDPOINTS) this.#dropIdle();
      state = new EndpointState(endpoint);
      this.endpoints.set(endpoint.address, state);
    }
    return state;
  }

  /** Chooses an endpoint by priority, locality and balancer; undefined when none may be used. */
  pick(hash: bigint | undefined, attempt: number): EndpointState | undefined {
    this.#picker ??= this.#buildPicker();
    return this.#picker.pick(this.#draw, hash, attempt);
  }

  /** An attempt got this status (gRPC: the HTTP status that its code maps to). */
  reportStatus(endpoint: EndpointState, status: number, nowMs: number): void {
    if (status >= 500) endpoint.failedRequests += 1;
    if (this.detector === undefined) return;
    this.detector.onStatus(endpoint, status, nowMs);
    if (this.#sweepTimer === undefined && this.detector.measuresRates) this.#startSweeping();
  }

  /** An attempt got no answer. */
  reportFailure(endpoint: EndpointState, timedOut: boolean, nowMs: number): void {
    endpoint.failedRequests += 1;
    this.detector?.onLocalOriginFailure(endpoint, timedOut, nowMs);
  }

  /** Ends the cluster: its endpoints drain, its timer stops. */
  remove(): void {
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
    for (const endpoint of this.endpoints.values()) endpoint.remove();
    this.endpoints.clear();
    this.#picker = undefined;
  }

  #setDetector(snapshot: ClusterSnapshot): void {
    if (snapshot.outlier === undefined) {
      for (const endpoint of this.endpoints.values()) this.detector?.forget(endpoint);
      this.detector = undefined;
      this.#picker = undefined;
    } else if (this.detector !== undefined) this.detector.config = snapshot.outlier;
    else this.detector = new OutlierDetector(snapshot.outlier, this.endpoints, this.#draw, () => this.#onEjection());
  }

  #onEjection(): void {
    this.#picker = undefined;
    this.#startSweeping();
  }

  /** Sweeps only run while someone is ejected or being measured; the interval counts from the first such moment. */
  #startSweeping(): void {
    if (this.#sweepTimer !== undefined || this.detector === undefined) return;
    this.#sweepTimer = this.#clock.after(this.detector.config.intervalMs, () => {
      this.#sweepTimer = undefined;
      this.detector?.sweep(this.#clock.nowMs());
      if (this.detector?.needsSweep === true) this.#startSweeping();
    });
  }

  #reconcile(): void {
    const kept = new Set<string>();
    if (this.snapshot.discovery === 'original-dst') return;
    for (const priority of this.#priorities) {
      for (const locality of priority.localities) {
        for (const endpoint of locality.endpoints) {
          kept.add(endpoint.address);
          const state = this.endpoints.get(endpoint.address);
          if (state === undefined) this.endpoints.set(endpoint.address, new EndpointState(endpoint));
          else state.update(endpoint);
        }
      }
    }
    for (const [address, state] of this.endpoints) if (!kept.has(address)) this.#drop(address, state);
    this.#picker = undefined;
  }

  #dropIdle(): void {
    for (const [address, state] of this.endpoints) if (state.activeRequests === 0) return this.#drop(address, state);
  }

  #drop(address: string, state: EndpointState): void {
    this.detector?.forget(state);
    this.endpoints.delete(address);
    state.remove();
  }

  #buildPicker(): Picker<EndpointState> {
    const priorities = this.#priorities.map((priority) =>
      priority.localities.map((locality): LocalityHosts<EndpointState> => ({
        weight: locality.weight,
        hosts: locality.endpoints.flatMap((endpoint) => this.endpoints.get(endpoint.address) ?? []),
      })),
    );
    return selectHosts(priorities, (host) => host.eligibility, this.snapshot, this.#draw);
  }
}

function namesOf({ priorities }: ClusterSnapshot): string {
  const localities = priorities.map((priority) => priority.localities);
  return JSON.stringify(localities.map((each) => each.map(({ endpoints }) => endpoints.map(({ address }) => address))));
}
