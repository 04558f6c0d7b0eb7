// The interface of every load balancer: it chooses one of the hosts that it was built for, and sees only hosts that may be used.
import type { Draws } from '../draws.js';

/** What a balancer reads of a host. Cluster-state's EndpointState is one. */
export interface Host {
  /** `ip:port`: identity across updates, and the key of consistent hashing. */
  readonly address: string;
  /** Load-balancing weight, at least 1. */
  readonly weight: number;
  /** Requests in flight right now. */
  readonly activeRequests: number;
}

export interface Picker<H extends Host> {
  /**
   * One host, or undefined when there is none.
   * @param hash hash of the request, for consistent hashing; others ignore it
   * @param attempt 0 for the first look; grows while the retry policy refuses the hosts offered (Envoy: host_selection_retry_max_attempts)
   */
  pick(draw: Draws, hash: bigint | undefined, attempt: number): H | undefined;
}

/** True when all hosts weigh the same, so that the cheap unweighted paths hold. */
export function equalWeights(hosts: readonly Host[]): boolean {
  const first = hosts[0]?.weight;
  return hosts.every((host) => host.weight === first);
}
