// What RBAC rules look at, for requests and for bare connections alike, and which rarely available parts a place can answer.
import type { FilterRequest } from '../http-filter.js';

/** A name in the peer's certificate, which was validated against the trust bundle. */
export interface PeerName {
  readonly type: 'uri' | 'dns' | 'subject';
  readonly value: string;
}

type Read = Pick<
  FilterRequest,
  | 'header'
  | 'normalizedPath'
  | 'peerPrincipal'
  | 'sourceIp'
  | 'remoteIp'
  | 'destinationIp'
  | 'destinationPort'
  | 'serverName'
  | 'dynamicMetadata'
>;

/** Every FilterRequest is one. */
export interface RbacRequest extends Read {
  /** URI SANs, DNS SANs, subject, in this order; where it is not given, `peerPrincipal` is the one name. */
  readonly peerNames?: readonly PeerName[] | undefined;
  /** Address of the socket's peer where it differs from `sourceIp`. */
  readonly directRemoteIp?: string | undefined;
  readonly routeMetadata?: Readonly<Record<string, unknown>> | undefined;
  readonly filterState?: ((key: string) => string | undefined) | undefined;
}

/** Says which sources exist where the rules run. A rule on a source that never answers is refused: a DENY would never deny. */
export interface RbacSources {
  readonly routeMetadata: boolean;
  filterState(key: string): boolean;
}

/** Filter state in which Istio leaves the peer's SPIFFE id (Istio: security/authz/model, principalAuthenticated). */
export const PEER_PRINCIPAL_STATE = 'io.istio.peer_principal';

/** What Heddle's own pipelines answer. */
export const PIPELINE_SOURCES: RbacSources = {
  routeMetadata: false,
  filterState: (key) => key === PEER_PRINCIPAL_STATE,
};

/** A compiled rule. */
export type RbacTest = (request: RbacRequest) => boolean;

/** How rules are compiled: what can be looked at, and whether a match of this rule leads toward a refusal. */
export interface RuleScope {
  readonly sources: RbacSources;
  /**
   * True where a match works toward a refusal (a DENY rule, or a negated part of an ALLOW rule): then one value of a repeated header is enough to
   * match. Elsewhere only the joined value counts. So no caller escapes by sending a header twice (CVE-2026-26308).
   */
  readonly refusing: boolean;
}

/** The scope inside a negation. */
export function negated(scope: RuleScope): RuleScope {
  return { sources: scope.sources, refusing: !scope.refusing };
}
