// The outbound side of a mesh: its dispatcher, its fetch, and what other drivers need to send a call the same way.
import type { Clock } from '../clock.js';
import { reportCluster, type ClusterReport } from '../cluster-state/cluster-report.js';
import type { ClusterStates } from '../cluster-state/cluster-states.js';
import type { Draws } from '../draws.js';
import type { UpstreamSecurity } from '../identity/connection-security.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { OutboundTelemetry } from '../telemetry/call-telemetry.js';
import type { RequestContext } from '../telemetry/request-context.js';
import { DnsEndpoints, type Resolve } from '../transport/dns-endpoints.js';
import { EndpointPools } from '../transport/endpoint-pools.js';
import type { OpenTransport } from '../transport/endpoint-pool.js';
import type { Dispatcher } from '../transport/undici.js';
import { callPlan, type CallHints } from './call-plan.js';
import { Destination } from './destination.js';
import { DeadlineWheel } from './exchange/deadline-wheel.js';
import type { ExchangePlan, ExchangeScope } from './exchange/exchange.js';
import type { OutboundHead } from './exchange/outbound-head.js';
import { HeaderLookup } from './http/attempt-head.js';
import { FetchClient, type MeshFetch, type ResponseInfo } from './http/mesh-fetch.js';
import { MeshDispatcher, type StartCall } from './http/mesh-dispatcher.js';
import { REPLAY_LIMIT_BYTES } from './http/request-body.js';
import { HeaderFlattener } from './http/request-headers.js';
import { startCall } from './http/start-call.js';
import { OriginTable } from './origin-table.js';
import { prepareCall, type ForwardedCall, type PreparedCall } from './prepare-call.js';
import type { OutboundOptions, OutboundRuntime } from './runtime.js';

export interface OutboundClientInit {
  readonly snapshot: () => Snapshot;
  readonly states: ClusterStates;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly security: UpstreamSecurity;
  readonly telemetry: OutboundTelemetry;
  readonly options?: OutboundOptions;
  /** How DNS clusters resolve names. Default: the operating system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** What carries requests to an endpoint. Default: connections over sockets. */
  readonly openTransport?: OpenTransport | undefined;
}

export class OutboundClient {
  readonly dispatcher: Dispatcher;
  readonly fetch: MeshFetch;
  /** For drivers of other protocols: timers of calls, and what an Exchange needs. */
  readonly wheel: DeadlineWheel;
  readonly scope: ExchangeScope;
  readonly #init: OutboundClientInit;
  readonly #runtime: Runtime;
  readonly #fetchClient: FetchClient;

  constructor(init: OutboundClientInit) {
    this.#init = init;
    this.#runtime = new Runtime(init);
    this.wheel = this.#runtime.wheel;
    this.scope = this.#runtime.scope;
    const runtime: OutboundRuntime = this.#runtime;
    const start: StartCall = (options, handler, hints) => startCall(runtime, options, handler, hints);
    this.dispatcher = new MeshDispatcher(start, () => Promise.resolve());
    this.#fetchClient = new FetchClient(start);
    this.fetch = this.#fetchClient.fetch;
  }

  /** Calls in flight, waiting ones included. */
  get activeCalls(): number {
    return this.#runtime.activeCalls;
  }

  /** Flags, attempts and upstream of a response of `fetch`; undefined for others. */
  responseInfo(response: Response): ResponseInfo | undefined {
    return this.#fetchClient.responseInfo(response);
  }

  /** Route, cluster and filters for a call of any driver. `host` in lower case, IPv6 without brackets. */
  prepareCall(head: OutboundHead, host: string, port: number): PreparedCall {
    const snapshot = this.#runtime.currentSnapshot();
    const destination = new Destination(host, port, head.authority);
    destination.adopt(snapshot);
    return prepareCall(snapshot, this.#init.states, this.#init.draws, destination, head);
  }

  /** What `Exchange.begin` takes, for a prepared call of any driver. */
  planCall(
    call: ForwardedCall,
    head: OutboundHead,
    hints: CallHints,
    context: RequestContext | undefined,
    nowMs: number,
  ): ExchangePlan {
    return callPlan(call, head, hints, context, this.#runtime.retryNonIdempotent, nowMs);
  }

  /** Endpoints with their states, breaker use and ejections; undefined for a cluster that the feed has not sent. */
  explainCluster(name: string): ClusterReport | undefined {
    const snapshot = this.#runtime.currentSnapshot().cluster(name);
    const state = snapshot === undefined ? this.#init.states.byName(name) : this.#init.states.of(snapshot);
    return state === undefined ? undefined : reportCluster(state, this.#init.clock.nowMs());
  }

  /** Refuses new calls, lets those in flight end, and after `drainMs` ends them. Default 10 s. */
  async close({ drainMs = 10_000 }: { readonly drainMs?: number } = {}): Promise<void> {
    await this.#runtime.close(drainMs);
  }
}

class Runtime implements OutboundRuntime {
  readonly clock: Clock;
  readonly draws: Draws;
  readonly scope: ExchangeScope;
  readonly states: ClusterStates;
  readonly telemetry: OutboundTelemetry;
  readonly pools: EndpointPools;
  readonly dns: DnsEndpoints;
  readonly wheel: DeadlineWheel;
  readonly flattener = new HeaderFlattener();
  readonly lookup = new HeaderLookup();
  readonly origins = new OriginTable();
  readonly retryNonIdempotent: boolean;
  readonly replayLimitBytes: number;
  closed = false;
  activeCalls = 0;
  readonly #snapshot: () => Snapshot;
  #lastSnapshot: Snapshot | undefined = undefined;
  #onIdle: (() => void) | undefined = undefined;

  constructor(init: OutboundClientInit) {
    const { snapshot, states, clock, draws, security, telemetry, options, resolve, openTransport } = init;
    this.clock = clock;
    this.draws = draws;
    this.scope = { draw: draws, wallMs: () => clock.wallMs() };
    this.states = states;
    this.telemetry = telemetry;
    this.pools = new EndpointPools(security, clock, openTransport);
    this.dns = new DnsEndpoints(clock, resolve);
    this.wheel = new DeadlineWheel(clock);
    this.retryNonIdempotent = options?.retryNonIdempotent ?? false;
    this.replayLimitBytes = options?.replayLimitBytes ?? REPLAY_LIMIT_BYTES;
    this.#snapshot = snapshot;
  }

  currentSnapshot(): Snapshot {
    const snapshot = this.#snapshot();
    if (snapshot !== this.#lastSnapshot) this.#adopt(snapshot);
    return snapshot;
  }

  callStarted(): void {
    this.activeCalls += 1;
  }

  callEnded(): void {
    this.activeCalls -= 1;
    if (this.activeCalls === 0) this.#onIdle?.();
  }

  async close(drainMs: number): Promise<void> {
    if (!this.closed) {
      const endMs = this.clock.nowMs() + drainMs;
      await this.#idle(drainMs);
      this.closed = true;
      await this.pools.close(Math.max(0, endMs - this.clock.nowMs()));
      this.states.close();
    }
  }

  /** A new configuration: states of clusters that it no longer has go, as soon as the call at hand is through. */
  #adopt(snapshot: Snapshot): void {
    this.#lastSnapshot = snapshot;
    this.origins.forgetSnapshots();
    this.clock.after(0, () => {
      if (this.#lastSnapshot !== snapshot) return;
      // PassthroughCluster is the mesh's own where the feed has none.
      this.states.retain((name) => name === 'PassthroughCluster' || snapshot.cluster(name) !== undefined);
    });
  }

  #idle(drainMs: number): Promise<void> {
    if (this.activeCalls === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.clock.after(drainMs, resolve);
      this.#onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
