// The rule for whole connections: which filter chain takes one, and what holds while there is no configuration.
import type { ConnectionFacts, FilterChainSnapshot } from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';

export type Admission =
  /** The chain whose TLS, network filters and HTTP filters hold. */
  | { readonly kind: 'chain'; readonly chain: FilterChainSnapshot }
  /** The mesh has no inbound configuration: plain text, no policy. */
  | { readonly kind: 'open' }
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Decides for one connection, purely.
 * 1. With inbound configuration its filter chains decide, and what none takes is refused (STRICT refuses plain text so, DISABLE refuses TLS).
 * 2. Without, while a feed has yet to deliver: refused. What the policy will be is not known, so nothing is let in.
 * 3. Without, after a delivery that has none, or in a mesh without a feed: plain text is served, TLS is refused for want of a configuration.
 */
export function admission(snapshot: Snapshot, facts: ConnectionFacts, awaitsFeed: boolean): Admission {
  const { inbound } = snapshot;
  if (inbound === undefined) {
    if (awaitsFeed && snapshot.generation === 0) return refuse('no configuration has arrived yet');
    return facts.transport === 'tls' ? refuse('no inbound TLS is configured') : { kind: 'open' };
  }
  const chain = inbound.chainFor(facts);
  if (chain === undefined) return refuse(`no filter chain takes ${facts.transport} connections on this port`);
  if (facts.transport === 'tls' && chain.tls === undefined)
    return refuse(`filter chain ${chain.name} passes TLS through, which an application server can't`);
  if (facts.transport === 'raw_buffer' && chain.tls !== undefined)
    return refuse(`filter chain ${chain.name} takes TLS only`);
  return { kind: 'chain', chain };
}

function refuse(reason: string): Admission {
  return { kind: 'refuse', reason };
}
