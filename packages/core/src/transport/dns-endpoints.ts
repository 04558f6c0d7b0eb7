// Endpoints of DNS clusters: names resolved in the background, refreshed on use, last good answer kept (Envoy: STRICT_DNS).
import { lookup } from 'node:dns/promises';
import type { Clock } from '../clock.js';
import type { ClusterState } from '../cluster-state/cluster-state.js';
import type { ClusterSnapshot, EndpointSnapshot, PrioritySnapshot } from '../snapshot/cluster-snapshot.js';

/** Envoy's dns_refresh_rate default; answers are not asked for again before that, whatever their TTL. */
const REFRESH_MS = 5_000;
/** The operating system's resolver runs on libuv's four threads: never take more than two of them. */
const MAX_LOOKUPS = 2;

export type Resolve = (name: string) => Promise<readonly string[]>;

/** All addresses of a name by the operating system's resolver (hosts file, search domains). */
export const systemResolve: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

interface Refresh {
  snapshot: ClusterSnapshot;
  askedMs: number;
  running: boolean;
}

export class DnsEndpoints {
  readonly #clock: Clock;
  readonly #resolve: Resolve;
  readonly #refreshes = new WeakMap<ClusterState, Refresh>();
  readonly #queue: (() => Promise<void>)[] = [];
  #running = 0;

  constructor(clock: Clock, resolve: Resolve = systemResolve) {
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /**
   * Called before a pick in a strict-dns cluster. Until the first answer the endpoints are the names themselves, which the socket resolves, so that no
   * call waits here; logical-dns clusters always stay that way (a new connection takes the address of that moment).
   */
  refresh(cluster: ClusterState, nowMs: number): void {
    const known = this.#refreshes.get(cluster);
    const current = known?.snapshot === cluster.snapshot;
    if (known !== undefined && current && (known.running || nowMs - known.askedMs < REFRESH_MS)) return;
    const entry: Refresh = { snapshot: cluster.snapshot, askedMs: nowMs, running: true };
    this.#refreshes.set(cluster, entry);
    this.#queue.push(async () => {
      const priorities = await resolvePriorities(entry.snapshot, this.#resolve);
      entry.running = false;
      entry.askedMs = this.#clock.nowMs();
      if (priorities !== undefined && cluster.snapshot === entry.snapshot) cluster.setResolved(priorities);
    });
    this.#pump();
  }

  #pump(): void {
    while (this.#running < MAX_LOOKUPS) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      this.#running += 1;
      void task().finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }
}

/** Undefined when a name failed: the last good endpoints stay. */
async function resolvePriorities(
  snapshot: ClusterSnapshot,
  resolve: Resolve,
): Promise<readonly PrioritySnapshot[] | undefined> {
  try {
    const answers = new Map<string, readonly string[]>();
    for (const priority of snapshot.priorities)
      for (const locality of priority.localities)
        for (const { host } of locality.endpoints) if (!answers.has(host)) answers.set(host, await resolve(host));
    return snapshot.priorities.map((priority) => ({
      localities: priority.localities.map((locality) => ({
        ...locality,
        endpoints: locality.endpoints.flatMap((endpoint) => addressed(endpoint, answers.get(endpoint.host) ?? [])),
      })),
    }));
  } catch {
    return undefined;
  }
}

function addressed(endpoint: EndpointSnapshot, addresses: readonly string[]): EndpointSnapshot[] {
  // No address is no good answer either: the name stays, so that connecting tells the caller what is wrong.
  if (addresses.length === 0) return [endpoint];
  return [...new Set(addresses)].map((host) => ({
    ...endpoint,
    host,
    address: host.includes(':') ? `[${host}]:${endpoint.port}` : `${host}:${endpoint.port}`,
    hostname: endpoint.hostname ?? endpoint.host,
  }));
}
