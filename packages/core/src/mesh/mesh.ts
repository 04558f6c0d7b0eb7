// The mesh of one process: the one file that sees every room. It wires them; what it does itself is start, status and shutdown.
import type { RequestListener, Server } from 'node:http';
import { systemClock } from '../clock.js';
import { ClusterStates } from '../cluster-state/cluster-states.js';
import { reportCluster } from '../cluster-state/cluster-report.js';
import { seededDraws } from '../draws.js';
import { explainInbound, type ExplainInboundRequest, type InboundExplanation } from '../explain/explain-inbound.js';
import { explainOutbound } from '../explain/explain-outbound.js';
import type { Explanation, ExplainRequest } from '../explain/explanation.js';
import { IdentityStore } from '../identity/identity-store.js';
import { createTlsContexts } from '../identity/tls-contexts.js';
import type { Application } from '../inbound/app-listener.js';
import type { InboundAccess } from '../inbound/inbound-access.js';
import { InboundServer, type InboundListener } from '../inbound/inbound-server.js';
import type { MeshInternals } from '../mesh-extension.js';
import { OutboundClient } from '../outbound/outbound-client.js';
import type { MeshFetch, ResponseInfo } from '../outbound/http/mesh-fetch.js';
import { createTelemetry, type Telemetry } from '../telemetry/create-telemetry.js';
import type { RequestContext } from '../telemetry/request-context.js';
import type { Dispatcher } from '../transport/undici.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { HEDDLE_VERSION } from '../version.js';
import { startAdminServer, startHealthServer, type AdminServer, type AdminSources } from './admin-server.js';
import { Configuration } from './configuration.js';
import { feedEventLog, logIdentityEvent, logInboundEvent } from './log-events.js';
import { loggerFrom } from './logger.js';
import type { MeshLogger } from './mesh-options.js';
import { feedNodeOf, type MeshSettings } from './mesh-settings.js';
import { registerMeshMetrics } from './mesh-metrics.js';
import { feedStatus, identityStatus, type MeshStatus } from './mesh-status.js';
import { onTerminate } from './signals.js';
import type { MeshParts } from './mesh-parts.js';

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
  readonly #settings: MeshSettings;
  readonly #log: MeshLogger;
  readonly #configuration: Configuration;
  readonly #identity: IdentityStore;
  readonly #states: ClusterStates;
  readonly #outbound: OutboundClient;
  readonly #inbound: InboundServer;
  readonly #telemetry: Telemetry;
  readonly #drains = { inbound: new Set<Drain>(), outbound: new Set<Drain>() };
  readonly #adminServers: AdminServer[] = [];
  #identityFailure: string | undefined;
  #stopListeningForSignals: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** Use `createMesh`. */
  constructor({ settings, options, feed, identity }: MeshParts) {
    const clock = options.clock ?? systemClock;
    const draws = options.draws ?? seededDraws(Date.now() ^ (process.pid << 8));
    const node = feedNodeOf(settings, HEDDLE_VERSION);
    this.#settings = settings;
    this.#log = loggerFrom(settings.log, () => clock.wallMs());
    this.#states = new ClusterStates(clock, draws);
    this.#identity = new IdentityStore({
      provider: identity,
      clock,
      draws,
      onEvent: (event) => {
        this.#identityFailure = event.kind === 'failed' || event.kind === 'refused' ? event.reason : undefined;
        logIdentityEvent(this.#log, event);
      },
    });
    const security = createTlsContexts(this.#identity, clock);
    const ownPrincipal = (): string | undefined => this.#identity.state().svid?.spiffeId;
    this.#telemetry = createTelemetry({
      node: { ...telemetryNode(settings), nodeId: node.id },
      ownPrincipal,
      clock,
      draws,
      forwardHeaders: settings.forwardHeaders,
      accessLog: settings.accessLog ? process.stdout : undefined,
    });
    const snapshot = (): Snapshot => this.#configuration.snapshot;
    this.#inbound = new InboundServer({
      snapshot,
      security,
      telemetry: this.#telemetry.inbound,
      clock,
      draws,
      onEvent: (event) => logInboundEvent(this.#log, event),
      settings: { awaitsFeed: feed !== undefined, localSpiffeId: ownPrincipal },
    });
    this.#configuration = new Configuration({
      feed,
      node,
      clock,
      filterState: this.#states,
      onSnapshot: () => this.#inbound.policyChanged(),
      onEvent: feedEventLog(this.#log),
    });
    this.#outbound = new OutboundClient({
      snapshot,
      states: this.#states,
      clock,
      draws,
      security,
      telemetry: this.#telemetry.outbound,
      options: { retryNonIdempotent: settings.retryNonIdempotent },
    });
    this.fetch = this.#outbound.fetch;
    this.dispatcher = this.#outbound.dispatcher;
    registerMeshMetrics(this.#telemetry.metrics, () => this.status());
    this.internals = {
      settings,
      clock,
      draws,
      snapshot,
      states: this.#states,
      security,
      outbound: this.#outbound,
      inbound: this.#inbound,
      telemetry: this.#telemetry,
      onClose: (drain, direction = 'inbound') => {
        this.#drains[direction].add(drain);
        return () => this.#drains[direction].delete(drain);
      },
    };
  }

  /** What adapters use of the inbound side. */
  get inbound(): InboundAccess {
    return this.#inbound;
  }

  /** True from the first complete configuration and certificate on, until the mesh begins to close. */
  get isReady(): boolean {
    return this.#closing === undefined && this.#configuration.ready;
  }

  /** Resolves when configuration and identity are there. Rejects with MeshError FEED_UNAVAILABLE or IDENTITY_UNAVAILABLE naming what is awaited. */
  async ready({ timeoutMs = 15_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    // Mesh timers don't hold the process; somebody who waits for the mesh does.
    const hold = setInterval(() => undefined, 60_000);
    try {
      await Promise.all([this.#configuration.untilReady(timeoutMs), this.#identity.ready(timeoutMs)]);
    } finally {
      clearInterval(hold);
    }
  }

  /** Serves an application (a request listener, an Express, Fastify or Koa app) on a port that obeys the mesh; drains on SIGTERM. */
  async serve(application: Application, port: number, { host }: ServeOptions = {}): Promise<InboundListener> {
    const listener = await this.#inbound.listen(application, port, host);
    this.#handleSignals();
    return listener;
  }

  /** An http.Server whose connections and requests obey the mesh; call its `listen` as usual. */
  createServer(handler?: RequestListener): Server {
    this.#handleSignals();
    return this.#inbound.createServer(handler);
  }

  /** Every decision that a call would meet now, with its reason and its source. Sends nothing. */
  explain(request: ExplainRequest): Explanation {
    return explainOutbound(request, {
      snapshot: this.#configuration.snapshot,
      states: { endpointState: (cluster, address) => this.#endpointState(cluster, address) },
      retryNonIdempotent: this.#settings.retryNonIdempotent,
      originOf: (typeUrl, name, detail) => this.#configuration.originOf(typeUrl, name, detail),
    });
  }

  /** What this workload's policies say of a caller. */
  explainInbound(request: ExplainInboundRequest): InboundExplanation {
    return explainInbound(request, {
      snapshot: this.#configuration.snapshot,
      originOf: (typeUrl, name, detail) => this.#configuration.originOf(typeUrl, name, detail),
    });
  }

  /** What is in force, from where, how fresh, and what is wrong with it. Holds no secrets. */
  status(): MeshStatus {
    const { name, namespace, labels } = this.#settings.service;
    const { clock } = this.internals;
    return {
      service: { name, namespace, labels },
      version: HEDDLE_VERSION,
      ready: this.isReady,
      draining: this.#closing !== undefined,
      feed: feedStatus(this.#configuration.status()),
      identity: identityStatus(this.#settings, this.#identity.state(), this.#identityFailure, clock.wallMs()),
      clusters: [...this.#states.all()].map((state) => reportCluster(state, clock.nowMs())),
      unsupported: this.#configuration.snapshot.unsupported(),
    };
  }

  /** Prometheus text of all metrics. */
  metrics(): Promise<string> {
    return this.#telemetry.metrics.renderMetrics();
  }

  /** Serves /metrics and /stats/prometheus; mount it where Prometheus scrapes. */
  get metricsListener(): RequestListener {
    return this.#telemetry.listener;
  }

  /** The inbound request that is being served, as outbound calls inherit it; undefined outside of one. */
  context(): RequestContext | undefined {
    return this.#telemetry.outbound.currentContext();
  }

  /** Flags, attempts and upstream of a response of `fetch`. */
  responseInfo(response: Response): ResponseInfo | undefined {
    return this.#outbound.responseInfo(response);
  }

  /** Starts the admin and health endpoints where the settings ask for them. Called by `createMesh`. */
  async startEndpoints(): Promise<void> {
    const { admin, healthPort, instanceIp } = this.#settings;
    const sources: AdminSources = {
      status: () => this.status(),
      explain: (request) => this.explain(request),
      ready: () => this.isReady,
      metrics: this.#telemetry.listener,
    };
    if (admin !== undefined) this.#adminServers.push(await startAdminServer(admin, sources));
    if (healthPort !== undefined) this.#adminServers.push(await startHealthServer(healthPort, instanceIp, sources));
  }

  /** Addresses of the admin and health endpoints, in this order, where they are on. */
  get endpointAddresses(): readonly string[] {
    return this.#adminServers.map(({ address }) => address);
  }

  /** Drains: not ready, no new requests, waits for those in flight, then ends everything. Safe to call again. */
  close({ drainMs = this.#settings.drainMs }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#shutDown(drainMs);
    return this.#closing;
  }

  async #shutDown(drainMs: number): Promise<void> {
    this.#stopListeningForSignals?.();
    const endMs = this.internals.clock.nowMs() + drainMs;
    await Promise.all([this.#inbound.drain(drainMs), ...[...this.#drains.inbound].map((drain) => drain(drainMs))]);
    // Calls made by the last requests were waited for with them; what is still out gets the rest of the time.
    const leftMs = Math.max(0, endMs - this.internals.clock.nowMs());
    const callers = [...this.#drains.outbound].map((drain) => drain(leftMs));
    await Promise.all([this.#outbound.close({ drainMs: leftMs }), ...callers]);
    this.#configuration.close();
    this.#identity.close();
    await Promise.all(this.#adminServers.map((server) => server.close()));
    this.#telemetry.close();
  }

  #handleSignals(): void {
    if (!this.#settings.handleSignals) return;
    this.#stopListeningForSignals ??= onTerminate(() => this.close());
  }

  #endpointState(cluster: string, address: string) {
    const report = this.#outbound.explainCluster(cluster)?.endpoints.find((endpoint) => endpoint.address === address);
    if (report === undefined) return undefined;
    const { activeRequests, state, ejectedForMs } = report;
    return { activeRequests, ejected: state === 'ejected', ejectedForMs };
  }
}

function telemetryNode(settings: MeshSettings) {
  const { service, clusterId, trustDomain } = settings;
  const version = service.labels['version'];
  return {
    workload: version === undefined ? service.name : `${service.name}-${version}`,
    namespace: service.namespace,
    labels: service.labels,
    serviceAccount: service.serviceAccount,
    clusterId,
    trustDomain,
    version: HEDDLE_VERSION,
  };
}
