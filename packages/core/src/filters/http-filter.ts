// The contract of HTTP filters. A filter decides and returns an action; it sends nothing and touches no socket.
import type { Any } from '@heddle/xds';
import type { Clock } from '../clock.js';
import type { Draws } from '../draws.js';
import type { ErrorCode } from '../errors.js';
import type { RequestHead } from '../request-head.js';

/** What a filter may see of a request beyond its head. */
export interface FilterRequest extends RequestHead {
  readonly direction: 'outbound' | 'inbound';
  /** Path after normalisation, which router, policies and application all see. Equals `path` where no normalisation is asked for. */
  readonly normalizedPath: string;
  /** SPIFFE id of the peer, proven by its certificate on this connection; undefined without mutual TLS. */
  readonly peerPrincipal: string | undefined;
  /** Peer address of the connection, and the address after trusted x-forwarded-for hops. */
  readonly sourceIp: string | undefined;
  readonly sourcePort: number | undefined;
  readonly remoteIp: string | undefined;
  readonly destinationIp: string | undefined;
  readonly destinationPort: number | undefined;
  readonly serverName: string | undefined;
  /** Values that earlier filters left (JWT claims as `istio_authn` / `envoy.filters.http.jwt_authn`), by namespace; undefined when nothing was left. */
  readonly dynamicMetadata: Readonly<Record<string, unknown>> | undefined;
  /** Cluster that the route chose (outbound); a fault that names an upstream cluster compares it. */
  readonly cluster?: string | undefined;
}

/** An answer made on the spot instead of the upstream's or the application's. */
export interface ReplyAction {
  readonly kind: 'reply';
  readonly code: ErrorCode;
  readonly status: number;
  /** gRPC status for gRPC requests; undefined = mapped from the HTTP status. */
  readonly grpcStatus: number | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** Envoy's response flag and RESPONSE_CODE_DETAILS. */
  readonly flag: string;
  readonly details: string;
  /** The policy or rule that decided, for explain and logs. */
  readonly policy: string | undefined;
}

export type FilterAction =
  | ReplyAction
  /** Go on after `delayMs`; then, if given, reply. `onDone` runs once when the delay ended or was cancelled. */
  | {
      readonly kind: 'delay';
      readonly delayMs: number;
      readonly thenReply: ReplyAction | undefined;
      readonly flag: string;
      readonly onDone: (() => void) | undefined;
    }
  /** Go on with these request header changes, response headers and metadata. */
  | {
      readonly kind: 'amend';
      readonly setRequestHeaders: readonly (readonly [string, string])[];
      readonly removeRequestHeaders: readonly string[];
      readonly setResponseHeaders: readonly (readonly [string, string])[];
      readonly dynamicMetadata: Readonly<Record<string, unknown>> | undefined;
    }
  /** The decision needs I/O (JWKS, external authorization). Rejection = the filter's own failure mode, never "allow". */
  | { readonly kind: 'pending'; readonly result: Promise<FilterAction | undefined> };

/** What a filter gets at decision time. */
export interface FilterContext {
  readonly draw: Draws;
  readonly nowMs: number;
  readonly wallMs: number;
}

/** A compiled filter: one per listener, or per route where the route overrides it. */
export interface HttpFilter {
  /** Name in the filter chain, `envoy.filters.http.rbac`. */
  readonly name: string;
  readonly typeUrl: string;
  /** Undefined = go on. */
  decide(request: FilterRequest, context: FilterContext): FilterAction | undefined;
  /** The same decision in words, without side effects (no token is taken, no die is rolled: `draw` gives 0.5). */
  explain(request: FilterRequest): {
    readonly verdict: 'chosen' | 'rejected' | 'info';
    readonly reason: string;
    readonly policy?: string | undefined;
  };
}

/** Long-lived state of stateful filters (token buckets, active faults), kept across snapshots by a stable key; lives in cluster-state. */
export interface FilterStateStore {
  /** The state under `key`, made by `create` on first use. The key names listener, filter, route and configuration version. */
  stateFor<State>(key: string, create: () => State): State;
}

export interface FilterBuild {
  readonly name: string;
  /** Where the filter stands: `inbound/9080`, `outbound/0.0.0.0_9080`; part of state keys. */
  readonly scope: string;
  readonly direction: 'outbound' | 'inbound';
  readonly clock: Clock;
  readonly state: FilterStateStore;
  /** Reports a set field that is not honoured. */
  unsupported(path: string, consequence: string): void;
}

/** A kind of filter: one file each, one row in filters/registry.ts. */
export interface FilterKind {
  readonly typeUrl: string;
  /** Type URLs of per-route overrides; often the same as `typeUrl`. */
  readonly perRouteTypeUrls: readonly string[];
  /** True: a configuration that can't be honoured refuses the resource (fail closed) instead of being reported. */
  readonly security: boolean;
  /**
   * Compiles a filter from its configuration and, where the route (or weighted cluster, virtual host) has one, the most specific override. Throws
   * MeshError CONFIG_INVALID naming the field. Undefined: nothing to do (disabled or empty).
   */
  compile(config: Any | undefined, override: Any | undefined, build: FilterBuild): HttpFilter | undefined;
}
