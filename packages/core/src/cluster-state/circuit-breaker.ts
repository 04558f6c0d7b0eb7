// The limits of one cluster: requests, HTTP/1.1 connections with a bounded queue before them, and retries (Envoy: circuit breakers).
import type { CircuitBreakerLimits } from '../snapshot/cluster-snapshot.js';

/** A call that waits for a free connection. */
export interface CapacityWaiter {
  /** Called once, after it left the queue, when it may try again. */
  onCapacityFreed(): void;
}

export type Admission = 'admitted' | 'queue' | 'overflow';

export class CircuitBreaker {
  limits: CircuitBreakerLimits;
  /** HTTP/2 streams share connections, so there only maxRequests bounds them. */
  multiplexed: boolean;
  activeRequests = 0;
  activeRetries = 0;
  /** Admitted requests that wait for their connection to be made; they count as pending. */
  connecting = 0;
  requestOverflows = 0;
  pendingOverflows = 0;
  retryOverflows = 0;
  /** First come, first served; a set, because calls that give up leave from the middle. */
  readonly #waiting = new Set<CapacityWaiter>();
  #waking = false;

  constructor(limits: CircuitBreakerLimits, multiplexed: boolean) {
    this.limits = limits;
    this.multiplexed = multiplexed;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Asks for one request slot; `admitted` has taken it. On HTTP/1.1 one request holds one connection, so that more than maxConnections requests
   * queue. Those, and the requests whose connection is still being made (`connects`), are pending, and at most maxPendingRequests of them may be
   * (Envoy: max_connections, max_pending_requests; a request that finds an idle connection is never pending).
   */
  admit(connects = false): Admission {
    const limits = this.limits;
    if (this.activeRequests >= limits.maxRequests) {
      this.requestOverflows += 1;
      return 'overflow';
    }
    if (!this.multiplexed && this.activeRequests >= limits.maxConnections) {
      if (this.#pending < limits.maxPendingRequests) return 'queue';
      this.pendingOverflows += 1;
      return 'overflow';
    }
    if (connects) {
      if (this.#pending >= limits.maxPendingRequests) {
        this.pendingOverflows += 1;
        return 'overflow';
      }
      this.connecting += 1;
    }
    this.activeRequests += 1;
    return 'admitted';
  }

  /** Gives a slot back and wakes who can use it. */
  release(): void {
    this.activeRequests -= 1;
    if (this.#waiting.size > 0) this.#wake();
  }

  /** A request that was admitted while it `connects` has its connection, or has given up. */
  connected(): void {
    this.connecting -= 1;
  }

  get #pending(): number {
    return this.#waiting.size + this.connecting;
  }

  wait(waiter: CapacityWaiter): void {
    this.#waiting.add(waiter);
  }

  stopWaiting(waiter: CapacityWaiter): void {
    this.#waiting.delete(waiter);
  }

  /** Takes a retry slot, held from the back-off until the retry ends. */
  admitRetry(): boolean {
    if (this.activeRetries >= this.limits.maxRetries) {
      this.retryOverflows += 1;
      return false;
    }
    this.activeRetries += 1;
    return true;
  }

  releaseRetry(): void {
    this.activeRetries -= 1;
  }

  /** Limits grew: those who wait may go. */
  update(limits: CircuitBreakerLimits, multiplexed: boolean): void {
    this.limits = limits;
    this.multiplexed = multiplexed;
    this.#wake();
  }

  /** A loop instead of recursion: a woken call that ends at once releases its slot from inside. */
  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    for (const waiter of this.#waiting) {
      if (this.activeRequests >= this.limits.maxRequests) break;
      if (!this.multiplexed && this.activeRequests >= this.limits.maxConnections) break;
      this.#waiting.delete(waiter);
      waiter.onCapacityFreed();
    }
    this.#waking = false;
  }
}
