// What is known of one endpoint beyond its configuration. Keeps its identity by address across snapshots, so that an update loses nothing.
import type { Host } from '../balance/picker.js';
import type { Eligibility } from '../balance/host-selection.js';
import type { EndpointSnapshot } from '../snapshot/cluster-snapshot.js';

/** A transport's connections to an endpoint: made and kept by transport, released by cluster-state when the endpoint goes. */
export interface EndpointConnections {
  /** No new requests; those in flight finish, then the connections close. */
  drain(): void;
}

/** One shape for all fields, set at construction: this object is read by every pick. */
export class EndpointState implements Host {
  readonly address: string;
  endpoint: EndpointSnapshot;
  weight: number;
  activeRequests = 0;
  totalRequests = 0;
  failedRequests = 0;
  /** Connections that are up, of the transports that say so (HTTP). */
  openConnections = 0;
  /** Removed from the configuration; it finishes what it has. */
  removed = false;

  ejected = false;
  ejectedAtMs = 0;
  /** Grows with every ejection, shrinks with every healthy interval; the ejection lasts this many base times. */
  ejectionMultiplier = 0;
  /** Added to the present ejection's time, so that hosts that left together do not return together. */
  ejectionJitterMs = 0;
  consecutive5xx = 0;
  consecutiveGatewayFailure = 0;
  consecutiveLocalOriginFailure = 0;
  /** Counts of the current interval, for success rate and failure percentage. */
  intervalRequests = 0;
  intervalSuccesses = 0;
  /** Success percentage of the last interval; -1 = too few requests. */
  successRate = -1;

  /** Slot of the HTTP transport (undici pool). */
  connections: EndpointConnections | undefined = undefined;

  constructor(endpoint: EndpointSnapshot) {
    this.address = endpoint.address;
    this.endpoint = endpoint;
    this.weight = Math.max(1, endpoint.weight);
  }

  /** Takes over a newer configuration; true when that changes what balancers see. */
  update(endpoint: EndpointSnapshot): boolean {
    const changed = this.weight !== Math.max(1, endpoint.weight) || this.endpoint.health !== endpoint.health;
    this.endpoint = endpoint;
    this.weight = Math.max(1, endpoint.weight);
    this.removed = false;
    return changed;
  }

  get eligibility(): Eligibility {
    if (this.ejected) return 'unhealthy';
    switch (this.endpoint.health) {
      case 'unknown':
      case 'healthy':
        return 'healthy';
      case 'degraded':
        return 'degraded';
      case 'unhealthy':
      case 'draining':
      case 'timeout':
        return 'unhealthy';
    }
  }

  /** Ends use for good: connections drain. */
  remove(): void {
    this.removed = true;
    this.connections?.drain();
    this.connections = undefined;
  }
}
