// The state machine of one call: attempts, retries, timeouts, delays and limits. Pure and synchronous: events and times in, steps out. Every driver
// (undici, gRPC, TCP, simulation) runs this one.
import type { CapacityWaiter } from '../../cluster-state/circuit-breaker.js';
import type { ClusterState } from '../../cluster-state/cluster-state.js';
import type { EndpointState } from '../../cluster-state/endpoint-state.js';
import type { Draws } from '../../draws.js';
import type { FilterAction } from '../../filters/http-filter.js';
import type { RetryPlan } from '../../snapshot/route-snapshot.js';
import { FAILURES, failureReply, type AttemptFailure } from './attempt-failure.js';
import type { FilterRun } from './filter-run.js';
import { grpcStatusAsHttp } from './grpc-status.js';
import { localReply, type LocalReply } from './local-reply.js';
import { callDeadline } from './timeout-plan.js';
import { backOffMs, wantsRetryAfterFailure, wantsRetryAfterStatus, type ResponseHead } from './retry-decision.js';

/**
 * What the driver does next. An attempt that is open when the step is not `deliver` or `none` is dropped first.
 * - `send`: send the request to `endpoint` as attempt number `attempts`.
 * - `wait`: call `onTimer` at `timerAtMs` (if finite), and `onFilterResult` when `pendingFilter` settles.
 * - `reply`: answer the caller with `reply`. Terminal.
 * - `fail`: the response that has begun can't be completed, or the caller left; `reply` says why. Terminal.
 * - `deliver`: hand the response's head to the caller; its body follows until `onEnd`.
 * - `none`: nothing to do: the event came too early or too late. `timerAtMs` holds as before.
 */
export type Step = 'send' | 'wait' | 'reply' | 'fail' | 'deliver' | 'none';

export type Phase =
  | 'idle'
  /** A filter holds the call: a delay until `wakeMs`, or `pendingFilter`. */
  | 'filtering'
  /** Waits in the cluster's queue for a connection. */
  | 'queued'
  | 'sending'
  /** Waits until `wakeMs` before the next attempt. */
  | 'backing-off'
  | 'delivering'
  | 'done';

/** What the machine is given besides events. */
export interface ExchangeScope {
  readonly draw: Draws;
  wallMs(): number;
}

/** The policies of one call, decided before it begins. */
export interface ExchangePlan {
  readonly cluster: ClusterState;
  readonly retry: RetryPlan | undefined;
  /** Monotonic time by which the caller wants its answer; Infinity = none. */
  readonly callerDeadlineMs: number;
  /** The route's timeout, from the end of the filters on; 0 = none. */
  readonly routeTimeoutMs: number;
  readonly hash: bigint | undefined;
  /** May be sent again whatever happened to the first copy: idempotent by method, or by the caller's word. */
  readonly repeatable: boolean;
  /** The endpoint where the call itself names it (original destination). */
  readonly fixedEndpoint: EndpointState | undefined;
  readonly filters: FilterRun | undefined;
  /** The call's status is a gRPC status. */
  readonly grpc: boolean;
}

export abstract class Exchange implements CapacityWaiter {
  phase: Phase = 'idle';
  attempts = 0;
  endpoint: EndpointState | undefined = undefined;
  /** The answer of `reply` and the reason of `fail`. */
  reply: LocalReply | undefined = undefined;
  /** Envoy's response flags, joined by `,`. */
  flags = '';
  /** Upstream's time to the first byte of the answer (x-envoy-upstream-service-time). */
  serviceTimeMs = 0;
  pendingFilter: Promise<FilterAction | undefined> | undefined = undefined;
  deadlineMs = Infinity;
  tryDeadlineMs = Infinity;
  /** Time within which the attempt must show some sign of life; `onActivity` moves it. */
  idleDeadlineMs = Infinity;
  wakeMs = Infinity;
  /** False once the request's body can't be sent again; the driver keeps it up to date. */
  bodyReplayable = true;
  protected plan: ExchangePlan | undefined = undefined;
  /** True for drivers that keep `openConnections` of endpoints and call `onConnected`: their attempts count as pending until they have a connection. */
  protected tracksConnections = false;
  readonly #scope: ExchangeScope;
  #sentMs = 0;
  #deadlineByCaller = true;
  #holdsSlot = false;
  #holdsRetry = false;
  #connecting = false;
  /** Resends after a pooled connection turned out to be closed; at most one, and no retry of the policy. */
  #renewals = 0;
  #tried: EndpointState[] | undefined = undefined;

  constructor(scope: ExchangeScope) {
    this.#scope = scope;
  }

  /** When `onTimer` must be called next; Infinity = never. */
  get timerAtMs(): number {
    return Math.min(this.deadlineMs, this.tryDeadlineMs, this.idleDeadlineMs, this.wakeMs);
  }

  /** The breaker woke this call: the driver runs `onCapacity`. */
  abstract onCapacityFreed(): void;

  begin(plan: ExchangePlan, nowMs: number): Step {
    this.plan = plan;
    this.deadlineMs = plan.callerDeadlineMs;
    if (nowMs >= plan.callerDeadlineMs) return this.#onDeadline();
    if (plan.filters === undefined) return this.#route(plan, nowMs);
    this.phase = 'filtering';
    return this.#filter(plan.filters, plan, nowMs, plan.filters.next(this.#context(nowMs)));
  }

  /** The attempt has its connection: it no longer counts as pending. */
  onConnected(): void {
    if (!this.#connecting) return;
    this.#connecting = false;
    this.plan?.cluster.breaker.connected();
  }

  /** Bytes of the attempt moved, either way. Needed only where `idleDeadlineMs` is finite. */
  onActivity(nowMs: number): void {
    const idleMs = this.plan?.retry?.perTryIdleTimeoutMs ?? 0;
    if (idleMs > 0 && (this.phase === 'sending' || this.phase === 'delivering')) this.idleDeadlineMs = nowMs + idleMs;
  }

  /** The answer's head arrived. `grpcStatus` is -1 where there is none (yet). */
  onHeaders(status: number, grpcStatus: number, head: ResponseHead, nowMs: number): Step {
    const { plan, endpoint } = this;
    if (this.phase !== 'sending' || plan === undefined || endpoint === undefined) return 'none';
    this.serviceTimeMs = nowMs - this.#sentMs;
    // The status of a gRPC call mostly comes with its end.
    if (grpcStatus >= 0) plan.cluster.reportStatus(endpoint, grpcStatusAsHttp(grpcStatus), nowMs);
    else if (!plan.grpc) plan.cluster.reportStatus(endpoint, status, nowMs);
    const retry = plan.retry;
    if (retry !== undefined && wantsRetryAfterStatus(retry.conditions, status, grpcStatus, head)) {
      if (plan.repeatable && this.#retry(plan, retry, nowMs)) return 'wait';
    }
    this.#releaseRetry();
    this.tryDeadlineMs = Infinity;
    this.phase = 'delivering';
    return 'deliver';
  }

  /** The attempt ended without a complete answer. `cause` is the transport's own words. */
  onFailure(failure: AttemptFailure, nowMs: number, cause?: string): Step {
    const { plan, endpoint } = this;
    if (plan === undefined || endpoint === undefined) return 'none';
    if (this.phase === 'delivering') {
      // The head was delivered: the caller sees a broken body (Envoy: resets the downstream stream).
      plan.cluster.reportFailure(endpoint, FAILURES[failure].timedOut, nowMs);
      return this.#end('fail', failureReply(failure, 1, cause));
    }
    if (this.phase !== 'sending') return 'none';
    if (failure === 'stale-connection' && this.#mayRenew(plan)) {
      this.#renewals = 1;
      this.#releaseSlot();
      return this.#send(plan, nowMs);
    }
    plan.cluster.reportFailure(endpoint, FAILURES[failure].timedOut, nowMs);
    const retry = plan.retry;
    if (retry !== undefined && wantsRetryAfterFailure(retry.conditions, failure)) {
      const allowed = plan.repeatable || FAILURES[failure].unprocessed;
      if (allowed && this.#retry(plan, retry, nowMs)) return 'wait';
    }
    return this.#end('reply', failureReply(failure, this.attempts, cause));
  }

  /** The answer is complete. `grpcStatus` is the trailers' (-1: none, or it came with the head). */
  onEnd(grpcStatus: number, nowMs: number): void {
    if (this.phase !== 'delivering') return;
    if (grpcStatus >= 0 && this.plan?.grpc === true && this.endpoint !== undefined)
      this.plan.cluster.reportStatus(this.endpoint, grpcStatusAsHttp(grpcStatus), nowMs);
    this.#close();
  }

  onTimer(nowMs: number): Step {
    const plan = this.plan;
    if (this.phase === 'done' || plan === undefined) return 'none';
    if (nowMs >= this.deadlineMs) return this.#onDeadline();
    if (this.phase === 'sending' && nowMs >= this.tryDeadlineMs) return this.onFailure('try-timeout', nowMs);
    if (nowMs >= this.idleDeadlineMs) return this.onFailure('try-idle-timeout', nowMs);
    if (nowMs < this.wakeMs) return 'none';
    this.wakeMs = Infinity;
    if (this.phase === 'backing-off') return this.#send(plan, nowMs);
    if (this.phase === 'filtering' && plan.filters !== undefined)
      return this.#filter(plan.filters, plan, nowMs, plan.filters.afterDelay(this.#context(nowMs)));
    return 'none';
  }

  /** The decision that `pendingFilter` settled to. */
  onFilterResult(action: FilterAction | undefined, nowMs: number): Step {
    const plan = this.plan;
    if (this.phase !== 'filtering' || plan?.filters === undefined || this.pendingFilter === undefined) return 'none';
    this.pendingFilter = undefined;
    return this.#filter(plan.filters, plan, nowMs, plan.filters.settled(action, this.#context(nowMs)));
  }

  /** A place in the queue came up. */
  onCapacity(nowMs: number): Step {
    if (this.phase !== 'queued' || this.plan === undefined) return 'none';
    return this.#send(this.plan, nowMs);
  }

  /** The caller left. */
  cancel(): Step {
    if (this.phase === 'done') return 'none';
    return this.#end('fail', localReply('CANCELLED', { details: 'downstream_remote_disconnect' }));
  }

  /** Ends the call with an answer of the driver (no route, invalid request). */
  refuse(reply: LocalReply): Step {
    if (this.phase === 'done') return 'none';
    return this.#end('reply', reply);
  }

  #context(nowMs: number) {
    return { draw: this.#scope.draw, nowMs, wallMs: this.#scope.wallMs() };
  }

  #filter(run: FilterRun, plan: ExchangePlan, nowMs: number, outcome: ReturnType<FilterRun['next']>): Step {
    if (outcome.kind === 'go-on') return this.#route(plan, nowMs);
    if (outcome.kind === 'reply') return this.#end('reply', outcome.reply);
    if (outcome.kind === 'pending') this.pendingFilter = outcome.result;
    else {
      this.addFlag(outcome.flag);
      this.wakeMs = nowMs + outcome.delayMs;
    }
    return 'wait';
  }

  /** Envoy's router begins here. */
  #route(plan: ExchangePlan, nowMs: number): Step {
    const deadline = callDeadline(nowMs, plan.routeTimeoutMs, plan.callerDeadlineMs);
    this.deadlineMs = deadline.atMs;
    this.#deadlineByCaller = deadline.byCaller;
    return this.#send(plan, nowMs);
  }

  #send(plan: ExchangePlan, nowMs: number): Step {
    const endpoint = plan.fixedEndpoint ?? this.#pick(plan);
    if (endpoint === undefined)
      return this.#end('reply', localReply('NO_HEALTHY_UPSTREAM', { details: 'no_healthy_upstream' }));
    const { breaker } = plan.cluster;
    const connects = this.tracksConnections && endpoint.openConnections <= endpoint.activeRequests;
    const admission = breaker.admit(connects);
    if (admission === 'queue') {
      this.phase = 'queued';
      breaker.wait(this);
      return 'wait';
    }
    if (admission === 'overflow') return this.#end('reply', overflowReply());
    this.#holdsSlot = true;
    this.#connecting = connects;
    this.phase = 'sending';
    this.endpoint = endpoint;
    endpoint.activeRequests += 1;
    endpoint.totalRequests += 1;
    this.attempts += 1;
    this.#sentMs = nowMs;
    const { retry } = plan;
    if (retry !== undefined) {
      this.tryDeadlineMs = retry.perTryTimeoutMs > 0 ? nowMs + retry.perTryTimeoutMs : Infinity;
      this.idleDeadlineMs = retry.perTryIdleTimeoutMs > 0 ? nowMs + retry.perTryIdleTimeoutMs : Infinity;
    }
    return 'send';
  }

  /** RFC 9112 §9.3.1: a connection may close while it idles; what is idempotent is sent once more over another. */
  #mayRenew(plan: ExchangePlan): boolean {
    return this.#renewals === 0 && plan.repeatable && this.bodyReplayable;
  }

  /** Envoy's previous_hosts predicate: looks again, a few times, for a host that was not tried; takes the last offer. */
  #pick(plan: ExchangePlan): EndpointState | undefined {
    let endpoint = plan.cluster.pick(plan.hash, 0);
    const tried = this.#tried;
    if (tried === undefined || plan.retry === undefined) return endpoint;
    for (let attempt = 1; attempt <= plan.retry.hostSelectionAttempts; attempt++) {
      if (endpoint === undefined || !tried.includes(endpoint)) break;
      endpoint = plan.cluster.pick(plan.hash, attempt);
    }
    return endpoint;
  }

  #retry(plan: ExchangePlan, retry: RetryPlan, nowMs: number): boolean {
    this.#releaseRetry();
    if (!this.bodyReplayable) return false;
    if (this.attempts - this.#renewals > retry.numRetries) {
      this.addFlag('URX');
      return false;
    }
    if (!plan.cluster.breaker.admitRetry()) {
      this.addFlag('UO');
      return false;
    }
    this.#holdsRetry = true;
    if (retry.avoidPreviousHosts && this.endpoint !== undefined) (this.#tried ??= []).push(this.endpoint);
    this.#releaseSlot();
    this.phase = 'backing-off';
    this.tryDeadlineMs = this.idleDeadlineMs = Infinity;
    this.wakeMs = nowMs + backOffMs(retry, this.attempts - this.#renewals, this.#scope.draw);
    return true;
  }

  #onDeadline(): Step {
    const { plan, endpoint } = this;
    if (plan === undefined) return 'none';
    if (this.phase === 'sending' && endpoint !== undefined) plan.cluster.reportFailure(endpoint, true, this.deadlineMs);
    const code = this.#deadlineByCaller ? 'DEADLINE_EXCEEDED' : 'UPSTREAM_TIMEOUT';
    const reply = localReply(code, { details: 'response_timeout' });
    return this.#end(this.phase === 'delivering' ? 'fail' : 'reply', reply);
  }

  #end(step: 'reply' | 'fail', reply: LocalReply): Step {
    this.reply = reply;
    this.addFlag(reply.flag);
    this.#close();
    return step;
  }

  /** Every way out leads through here: what the call holds is given back exactly once. */
  #close(): void {
    const queued = this.phase === 'queued';
    this.phase = 'done';
    this.deadlineMs = this.tryDeadlineMs = this.idleDeadlineMs = this.wakeMs = Infinity;
    this.pendingFilter = undefined;
    if (queued) this.plan?.cluster.breaker.stopWaiting(this);
    this.plan?.filters?.stop();
    this.#releaseRetry();
    this.#releaseSlot();
  }

  #releaseRetry(): void {
    if (!this.#holdsRetry) return;
    this.#holdsRetry = false;
    this.plan?.cluster.breaker.releaseRetry();
  }

  #releaseSlot(): void {
    if (!this.#holdsSlot) return;
    this.#holdsSlot = false;
    this.onConnected();
    if (this.endpoint !== undefined) this.endpoint.activeRequests -= 1;
    this.plan?.cluster.breaker.release();
  }

  protected addFlag(flag: string): void {
    if (flag === '' || flag === '-') return;
    if (this.flags === '') this.flags = flag;
    else if (!this.flags.split(',').includes(flag)) this.flags += `,${flag}`;
  }
}

function overflowReply(): LocalReply {
  return localReply('OVERFLOW', {
    headers: [['x-envoy-overloaded', 'true']],
    details: 'upstream_reset_before_response_started{overflow}',
  });
}
