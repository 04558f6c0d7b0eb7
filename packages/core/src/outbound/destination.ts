// Where calls go to, host and port, with everything that one snapshot says of it: looked up on first use, used by all calls until the next snapshot.
import type { OutboundListener, VirtualHostSnapshot, WeightedCluster } from '../snapshot/route-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { ForwardedCall } from './prepare-call.js';

export class Destination {
  /** Lower case, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** As the Host header has it: lower case, the scheme's default port left out. */
  readonly authority: string;
  /** The snapshot that everything below is of. */
  snapshot: Snapshot | undefined = undefined;
  listener: OutboundListener | undefined = undefined;
  /** Calls that took an entry of a route before: the same for every call, but where the call itself names its cluster or endpoint. */
  readonly forwards = new Map<WeightedCluster, ForwardedCall>();
  /** The virtual host of `authority`; null = not looked up yet. */
  #virtualHost: VirtualHostSnapshot | undefined | null = null;

  constructor(host: string, port: number, authority: string) {
    this.host = host;
    this.port = port;
    this.authority = authority;
  }

  /** Looks at another snapshot; undefined forgets the present one, so that it can be freed. */
  adopt(snapshot: Snapshot | undefined): void {
    this.snapshot = snapshot;
    this.listener = snapshot?.outboundListener(this.host, this.port);
    this.forwards.clear();
    this.#virtualHost = null;
  }

  /** A call may carry a Host header of its own, hence `authority`. */
  virtualHostOf(authority: string, snapshot: Snapshot): VirtualHostSnapshot | undefined {
    if (authority !== this.authority) return this.#lookUp(authority, snapshot);
    if (this.#virtualHost === null) this.#virtualHost = this.#lookUp(authority, snapshot);
    return this.#virtualHost;
  }

  #lookUp(authority: string, snapshot: Snapshot): VirtualHostSnapshot | undefined {
    const target = this.listener?.target;
    if (target?.kind !== 'http') return undefined;
    return (target.inlineRoutes ?? snapshot.routeTable(target.routeName))?.virtualHost(authority);
  }
}
