// The connections of one endpoint under one TLS policy and one security generation: an undici pool with explicit limits.
import type { EndpointConnections } from '../cluster-state/endpoint-state.js';
import type { ClusterSnapshot, EndpointSnapshot } from '../snapshot/cluster-snapshot.js';
import { newPool, type Connector, type Dispatcher, type PoolOptions } from './undici.js';

/** Fields of a pool's options that the types of undici 8.12 leave out. */
type Options = PoolOptions & { useH2c?: boolean; maxRequestsPerClient?: number };

export interface PoolShape {
  readonly cluster: ClusterSnapshot;
  readonly endpoint: EndpointSnapshot;
  readonly secure: boolean;
  /** Mutual TLS with this workload's own identity: the other side is a workload of the mesh. */
  readonly inMesh: boolean;
  readonly serverName: string;
  readonly generation: number;
  /** Everything that makes connections differ; equal keys may share a pool. */
  readonly key: string;
}

/** What carries the requests of one endpoint: a pool of connections, or in tests of services an upstream in memory. */
export interface EndpointTransport {
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean;
  /** No new requests; resolves when those in flight are through. */
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/** Opens the transport of one endpoint. `connector` makes its connections, and proves who is at their other end. */
export type OpenTransport = (shape: PoolShape, connector: Connector) => EndpointTransport;

/** Sockets: the transport of every mesh that is not a test's. */
export const openPool: OpenTransport = (shape, connector) =>
  newPool(originOf(shape), poolOptions(shape.cluster, connector));

export class EndpointPool implements EndpointConnections {
  shape: PoolShape;
  /** SPIFFE id that the last handshake proved; empty in plain text. */
  peerPrincipal = '';
  lastUsedMs = 0;
  drained = false;
  readonly #pool: EndpointTransport;
  readonly #onDrain: (pool: EndpointPool, closed: Promise<void>) => void;

  constructor(
    shape: PoolShape,
    makeConnector: (onPeer: (principal: string) => void) => Connector,
    onDrain: (pool: EndpointPool, closed: Promise<void>) => void,
    openTransport: OpenTransport,
  ) {
    this.shape = shape;
    this.#onDrain = onDrain;
    const connector = makeConnector((principal) => {
      this.peerPrincipal = principal;
    });
    this.#pool = openTransport(shape, connector);
  }

  /** undici never looks at `origin`, `dispatcher` or any other property that the pool itself decides. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch(options, handler);
  }

  drain(): void {
    if (this.drained) return;
    this.drained = true;
    this.#onDrain(this, this.#pool.close());
  }

  destroy(): Promise<void> {
    this.drained = true;
    return this.#pool.destroy();
  }
}

function originOf({ endpoint, secure }: PoolShape): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${secure ? 'https' : 'http'}://${host}:${endpoint.port}`;
}

function poolOptions(cluster: ClusterSnapshot, connect: Connector): Options {
  // HTTP/1.1: the breaker admits at most maxConnections requests. A client is busy for a turn of the loop after each answer, so that a pool of exactly
  // that size would queue all the time: twice as many (measured with undici 8.12). Unlimited breakers get an unlimited pool.
  const bound = Math.min(cluster.limits.maxConnections, cluster.limits.maxRequests) * 2;
  const unlimited = bound > 65_536 || cluster.http2;
  return {
    connect,
    ...(unlimited ? {} : { connections: Math.max(2, bound) }),
    pipelining: 1,
    allowH2: cluster.http2,
    keepAliveTimeout: Math.max(1, cluster.idleTimeoutMs),
    keepAliveMaxTimeout: Math.max(1, cluster.idleTimeoutMs),
    maxCachedSessions: 0,
    ...(cluster.maxRequestsPerConnection > 0 ? { maxRequestsPerClient: cluster.maxRequestsPerConnection } : {}),
  };
}
