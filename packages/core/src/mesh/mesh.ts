// The mesh of one process, as applications see it: calls, servers, explanations, status, shutdown. The wiring is in open-rooms.ts.
import type { RequestListener, Server } from 'node:http';
import { reportCluster } from '../cluster-state/cluster-report.js';
import { explainInbound, type ExplainInboundRequest, type InboundExplanation } from '../explain/explain-inbound.js';
import { explainOutbound } from '../explain/explain-outbound.js';
import type { Explanation, ExplainRequest } from '../explain/explanation.js';
import type { Application } from '../inbound/app-listener.js';
import type { InboundAccess } from '../inbound/inbound-access.js';
import type { InboundListener } from '../inbound/inbound-server.js';
import type { MeshInternals } from '../mesh-extension.js';
import type { MeshFetch, ResponseInfo } from '../outbound/http/mesh-fetch.js';
import type { RequestContext } from '../telemetry/request-context.js';
import type { Dispatcher } from '../transport/undici.js';
import { HEDDLE_VERSION } from '../version.js';
import { startAdminServer, startHealthServer, type AdminServer, type AdminSources } from './admin-server.js';
import { registerMeshMetrics } from './mesh-metrics.js';
import { feedStatus, identityStatus, type MeshStatus } from './mesh-status.js';
import type { MeshRooms } from './open-rooms.js';
import { onTerminate } from './signals.js';

export interface ServeOptions {
  /** Address to listen on; default all interfaces. */
  readonly host?: string | undefined;
}

export interface CloseOptions {
  /** Longest wait for requests in flight; default the mesh's `drainMs` (10,000 ms). */
  readonly drainMs?: number;
}

type Drain = (drainMs: number) => Promise<void>;

/** Made by `createMesh`. */
export class Mesh {
  /** For adapters; applications don't need it. */
  readonly internals: MeshInternals;
  /** Sends a call through the mesh. Answers like a proxy (a 503 with Envoy's body) unless `{ errors: 'throw' }` asks for MeshError. */
  readonly fetch: MeshFetch;
  /** The mesh as an undici Dispatcher, for `undici.request`, `setGlobalDispatcher` and libraries that take one. */
  readonly dispatcher: Dispatcher;
  readonly #rooms: MeshRooms;
  readonly #drains = { inbound: new Set<Drain>(), outbound: new Set<Drain>() };
  readonly #adminServers: AdminServer[] = [];
  #stopListeningForSignals: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** Use `createMesh`. */
  constructor(rooms: MeshRooms) {
    const { settings, clock, draws, states, security, outbound, inbound, telemetry, configuration } = rooms;
    this.#rooms = rooms;
    this.fetch = outbound.fetch;
    this.dispatcher = outbound.dispatcher;
    registerMeshMetrics(telemetry.metrics, () => this.status());
    this.internals = {
      settings,
      clock,
      draws,
      snapshot: () => configuration.snapshot,
      states,
      security,
      outbound,
      inbound,
      telemetry,
      onClose: (drain, direction = 'inbound') => {
        this.#drains[direction].add(drain);
        return () => this.#drains[direction].delete(drain);
      },
    };
  }

  /** What adapters use of the inbound side. */
  get inbound(): InboundAccess {
    return this.#rooms.inbound;
  }

  /** True from the first complete configuration and certificate on, until the mesh begins to close. */
  get isReady(): boolean {
    return this.#closing === undefined && this.#rooms.configuration.ready;
  }

  /** Resolves when configuration and identity are there. Rejects with MeshError FEED_UNAVAILABLE or IDENTITY_UNAVAILABLE naming what is awaited. */
  async ready({ timeoutMs = 15_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    // Mesh timers don't hold the process; somebody who waits for the mesh does.
    const hold = setInterval(() => undefined, 60_000);
    try {
      await Promise.all([this.#rooms.configuration.untilReady(timeoutMs), this.#rooms.identity.ready(timeoutMs)]);
    } finally {
      clearInterval(hold);
    }
  }

  /** Serves an application (a request listener, an Express, Fastify or Koa app) on a port that obeys the mesh; drains on SIGTERM. */
  async serve(application: Application, port: number, { host }: ServeOptions = {}): Promise<InboundListener> {
    const listener = await this.#rooms.inbound.listen(application, port, host);
    this.#handleSignals();
    return listener;
  }

  /** An http.Server whose connections and requests obey the mesh; call its `listen` as usual. */
  createServer(handler?: RequestListener): Server {
    this.#handleSignals();
    return this.#rooms.inbound.createServer(handler);
  }

  /** Every decision that a call would meet now, with its reason and its source. Sends nothing. */
  explain(request: ExplainRequest): Explanation {
    return explainOutbound(request, {
      snapshot: this.#rooms.configuration.snapshot,
      states: { endpointState: (cluster, address) => this.#endpointState(cluster, address) },
      retryNonIdempotent: this.#rooms.settings.retryNonIdempotent,
      originOf: (typeUrl, name, detail) => this.#rooms.configuration.originOf(typeUrl, name, detail),
    });
  }

  /** What this workload's policies say of a caller. */
  explainInbound(request: ExplainInboundRequest): InboundExplanation {
    return explainInbound(request, {
      snapshot: this.#rooms.configuration.snapshot,
      originOf: (typeUrl, name, detail) => this.#rooms.configuration.originOf(typeUrl, name, detail),
    });
  }

  /** What is in force, from where, how fresh, and what is wrong with it. Holds no secrets. */
  status(): MeshStatus {
    const { name, namespace, labels } = this.#rooms.settings.service;
    const { clock } = this.internals;
    return {
      service: { name, namespace, labels },
      version: HEDDLE_VERSION,
      ready: this.isReady,
      draining: this.#closing !== undefined,
      feed: feedStatus(this.#rooms.configuration.status()),
      identity: identityStatus(
        this.#rooms.settings,
        this.#rooms.identity.state(),
        this.#rooms.identityFailure(),
        clock.wallMs(),
      ),
      clusters: [...this.#rooms.states.all()].map((state) => reportCluster(state, clock.nowMs())),
      unsupported: this.#rooms.configuration.snapshot.unsupported(),
    };
  }

  /** Prometheus text of all metrics. */
  metrics(): Promise<string> {
    return this.#rooms.telemetry.metrics.renderMetrics();
  }

  /** Serves /metrics and /stats/prometheus; mount it where Prometheus scrapes. */
  get metricsListener(): RequestListener {
    return this.#rooms.telemetry.listener;
  }

  /** The inbound request that is being served, as outbound calls inherit it; undefined outside of one. */
  context(): RequestContext | undefined {
    return this.#rooms.telemetry.outbound.currentContext();
  }

  /** Flags, attempts and upstream of a response of `fetch`. */
  responseInfo(response: Response): ResponseInfo | undefined {
    return this.#rooms.outbound.responseInfo(response);
  }

  /** Starts the admin and health endpoints where the settings ask for them. Called by `createMesh`. */
  async startEndpoints(): Promise<void> {
    const { admin, healthPort, instanceIp } = this.#rooms.settings;
    const sources: AdminSources = {
      status: () => this.status(),
      explain: (request) => this.explain(request),
      ready: () => this.isReady,
      metrics: this.#rooms.telemetry.listener,
    };
    if (admin !== undefined) this.#adminServers.push(await startAdminServer(admin, sources));
    if (healthPort !== undefined) this.#adminServers.push(await startHealthServer(healthPort, instanceIp, sources));
  }

  /** Addresses of the admin and health endpoints, in this order, where they are on. */
  get endpointAddresses(): readonly string[] {
    return this.#adminServers.map(({ address }) => address);
  }

  /** Drains: not ready, no new requests, waits for those in flight, then ends everything. Safe to call again. */
  close({ drainMs = this.#rooms.settings.drainMs }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#shutDown(drainMs);
    return this.#closing;
  }

  async #shutDown(drainMs: number): Promise<void> {
    this.#stopListeningForSignals?.();
    const endMs = this.internals.clock.nowMs() + drainMs;
    await Promise.all([
      this.#rooms.inbound.drain(drainMs),
      ...[...this.#drains.inbound].map((drain) => drain(drainMs)),
    ]);
    // Calls made by the last requests were waited for with them; what is still out gets the rest of the time.
    const leftMs = Math.max(0, endMs - this.internals.clock.nowMs());
    const callers = [...this.#drains.outbound].map((drain) => drain(leftMs));
    await Promise.all([this.#rooms.outbound.close({ drainMs: leftMs }), ...callers]);
    this.#rooms.configuration.close();
    this.#rooms.identity.close();
    await Promise.all(this.#adminServers.map((server) => server.close()));
    this.#rooms.telemetry.close();
  }

  #handleSignals(): void {
    if (!this.#rooms.settings.handleSignals) return;
    this.#stopListeningForSignals ??= onTerminate(() => this.close());
  }

  #endpointState(cluster: string, address: string) {
    const report = this.#rooms.outbound
      .explainCluster(cluster)
      ?.endpoints.find((endpoint) => endpoint.address === address);
    if (report === undefined) return undefined;
    const { activeRequests, state, ejectedForMs } = report;
    return { activeRequests, ejected: state === 'ejected', ejectedForMs };
  }
}
