// All pools: finds or makes the one that fits an endpoint right now, retires those that no longer do, and bounds how many idle ones stay.
import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import type { EndpointState } from '../cluster-state/endpoint-state.js';
import type { UpstreamSecurity } from '../identity/connection-security.js';
import type { ClusterSnapshot } from '../snapshot/cluster-snapshot.js';
import { createConnector, type ConnectTarget } from './connector.js';
import { EndpointPool, openPool, type OpenTransport, type PoolShape } from './endpoint-pool.js';

/** Pools that may stay without a request in flight; beyond, the longest unused ones close. */
const MAX_IDLE_POOLS = 1024;

export class EndpointPools {
  readonly #security: UpstreamSecurity;
  readonly #clock: Clock;
  readonly #openTransport: OpenTransport;
  readonly #pools = new Map<EndpointPool, EndpointState>();
  readonly #draining = new Set<EndpointPool>();
  /** Every socket that is open or being connected. */
  readonly #sockets = new Set<Socket>();

  constructor(security: UpstreamSecurity, clock: Clock, openTransport: OpenTransport = openPool) {
    this.#security = security;
    this.#clock = clock;
    this.#openTransport = openTransport;
  }

  get size(): number {
    return this.#pools.size;
  }

  get drainingCount(): number {
    return this.#draining.size;
  }

  /**
   * The pool for the next request to an endpoint. `externalServerName` is set where the application itself asked for https:// and the cluster has no
   * transport security of its own.
   */
  poolFor(
    cluster: ClusterSnapshot,
    state: EndpointState,
    externalServerName: string | undefined,
    nowMs: number,
  ): EndpointPool {
    const current = state.connections as EndpointPool | undefined;
    if (current !== undefined) {
      const { shape } = current;
      const same = shape.cluster === cluster && shape.endpoint === state.endpoint;
      if (same && shape.generation === this.#security.generation && externalServerName === undefined) {
        current.lastUsedMs = nowMs;
        return current;
      }
    }
    return this.#refit(cluster, state, externalServerName, nowMs);
  }

  /** Drains everything; resolves when all connections are closed or, after `drainMs`, destroyed. No socket is left, not even one that was connecting. */
  async close(drainMs: number): Promise<void> {
    await this.#drainAll(drainMs);
    await Promise.all([...this.#sockets].map(closeSocket));
  }

  async #drainAll(drainMs: number): Promise<void> {
    for (const pool of [...this.#pools.keys()]) pool.drain();
    const open = [...this.#draining];
    if (open.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(drainMs, () => {
        void Promise.allSettled([...this.#draining].map((pool) => pool.destroy())).then(() => resolve());
      });
      this.#onAllDrained = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #onAllDrained: (() => void) | undefined = undefined;

  /** The slow path: first use, or something changed. Equal keys keep their connections across configuration updates. */
  #refit(
    cluster: ClusterSnapshot,
    state: EndpointState,
    externalServerName: string | undefined,
    nowMs: number,
  ): EndpointPool {
    const { target, shape } = this.#describe(cluster, state, externalServerName);
    const current = state.connections as EndpointPool | undefined;
    if (current !== undefined && current.shape.key === shape.key && !current.drained) {
      current.shape = shape;
      current.lastUsedMs = nowMs;
      return current;
    }
    current?.drain();
    const pool = new EndpointPool(
      shape,
      (onPeer) =>
        createConnector(target, this.#security, this.#clock, onPeer, (socket) => this.#watch(socket, state, target)),
      (drained, closed) => this.#onDrain(drained, closed),
      this.#openTransport,
    );
    pool.lastUsedMs = nowMs;
    state.connections = pool;
    this.#pools.set(pool, state);
    if (this.#pools.size > MAX_IDLE_POOLS) this.#evict();
    return pool;
  }

  /** Counts the connection while it is up, so that a call knows whether it has to wait for one. */
  #watch(socket: Socket, state: EndpointState, { security }: ConnectTarget): void {
    let up = false;
    this.#sockets.add(socket);
    socket.once(security.kind === 'plain' ? 'connect' : 'secureConnect', () => {
      up = true;
      state.openConnections += 1;
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (up) state.openConnections -= 1;
    });
  }

  #describe(cluster: ClusterSnapshot, state: EndpointState, externalServerName: string | undefined) {
    const { endpoint } = state;
    const tls = cluster.tlsFor(endpoint);
    const { generation } = this.#security;
    const security: ConnectTarget['security'] =
      tls !== undefined
        ? { kind: 'mesh', tls }
        : externalServerName !== undefined
          ? { kind: 'external', serverName: externalServerName }
          : { kind: 'plain' };
    const target: ConnectTarget = {
      host: endpoint.host,
      port: endpoint.port,
      http2: cluster.http2,
      connectTimeoutMs: cluster.connectTimeoutMs,
      security,
    };
    const { maxConnections, maxRequests } = cluster.limits;
    const identity = tls === undefined ? `${security.kind} ${externalServerName ?? ''}` : `${generation} ${tls.key}`;
    const settings = [cluster.connectTimeoutMs, cluster.idleTimeoutMs, cluster.maxRequestsPerConnection, cluster.http2];
    const key = `${identity}|${settings.join(' ')} ${maxConnections} ${maxRequests}`;
    const serverName = tls?.serverName ?? externalServerName ?? endpoint.host;
    const secure = security.kind !== 'plain';
    const inMesh = tls?.presentsCertificate === true && tls.certificateSource.kind === 'identity';
    const shape: PoolShape = { cluster, endpoint, secure, inMesh, serverName, generation, key };
    return { target, shape };
  }

  #onDrain(pool: EndpointPool, closed: Promise<void>): void {
    const state = this.#pools.get(pool);
    if (state?.connections === pool) state.connections = undefined;
    this.#pools.delete(pool);
    this.#draining.add(pool);
    const gone = () => {
      this.#draining.delete(pool);
      if (this.#draining.size === 0) this.#onAllDrained?.();
    };
    closed.then(gone, gone);
  }

  #evict(): void {
    let oldest: EndpointPool | undefined;
    for (const [pool, state] of this.#pools)
      if (state.activeRequests === 0 && (oldest === undefined || pool.lastUsedMs < oldest.lastUsedMs)) oldest = pool;
    oldest?.drain();
  }
}

const closeSocket = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.destroy();
  });
