// Compiled outbound listeners and routes: what is left to do per request is lookup and comparison.
import type { Draws } from '../draws.js';
import type { RequestHead } from '../request-head.js';
import type { PathOptions } from '../matching/path-normalization.js';
import type { HttpFilter } from '../filters/http-filter.js';
import type { ExplainStep } from '../explain-types.js';

export interface OutboundListener {
  readonly name: string;
  /** `http`: routes decide. `tcp`: one cluster (or a weighted set) takes every connection. */
  readonly target:
    | {
        readonly kind: 'http';
        readonly routeName: string;
        readonly inlineRoutes: RouteTable | undefined;
        readonly filters: readonly HttpFilter[];
        /** What the connection manager does to paths before routes see them; undefined: nothing. */
        readonly paths?: PathOptions | undefined;
      }
    | { readonly kind: 'tcp'; readonly clusters: WeightedClusters };
}

/** A compiled RouteConfiguration. */
export interface RouteTable {
  readonly name: string;
  readonly version: string;
  /** The virtual host for an authority (exact, suffix, prefix, `*`; Envoy's search order); undefined when none takes it. */
  virtualHost(authority: string): VirtualHostSnapshot | undefined;
}

export interface VirtualHostSnapshot {
  readonly name: string;
  /** First route that matches, or undefined. */
  match(head: RequestHead, draw: Draws): RoutePlan | undefined;
  /** The same decision with a step for each route that was looked at (slow; for explain). */
  explain(
    head: RequestHead,
    draw: Draws,
  ): { readonly plan: RoutePlan | undefined; readonly steps: readonly ExplainStep[] };
}

/** What to do with a request, compiled once per route. Frozen; one object shape. */
export interface RoutePlan {
  readonly routeName: string;
  readonly virtualHostName: string;
  readonly tableName: string;
  /** Position of the route in its virtual host. */
  readonly index: number;
  readonly action: ForwardAction | RedirectAction | DirectResponseAction;
  /** Outbound HTTP filters in the order of the listener, with this route's overrides; empty where none has anything to do. */
  readonly filters: readonly HttpFilter[];
  /** Header operations on the request and on the response (all levels merged in Envoy's order); undefined where there are none. */
  readonly requestHeaders: HeaderOperations | undefined;
  readonly responseHeaders: HeaderOperations | undefined;
  /** Istio object that istiod names in filter_metadata.istio.config, e.g. `virtual-service default/reviews`; for explain. */
  readonly sourceObject: string | undefined;
}

export interface ForwardAction {
  readonly kind: 'forward';
  readonly clusters: WeightedClusters;
  /** Total timeout of the call in ms; 0 = none. Envoy's default 15 s applies when the route has none set. */
  readonly timeoutMs: number;
  /**
   * The total timeout in ms of a gRPC request that asks for `askedMs` by grpc-timeout (undefined: it does not); 0 = none. Undefined: `timeoutMs` holds
   * for gRPC, too (Envoy: max_grpc_timeout, max_stream_duration.grpc_timeout_header_max).
   */
  readonly grpcTimeoutMs?: ((askedMs: number | undefined) => number) | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly retry: RetryPlan | undefined;
  /** New host header; undefined keeps the caller's. `auto` takes the endpoint's hostname. */
  readonly hostRewrite: string | { readonly auto: true } | undefined;
  /** New host header computed from the request (host_rewrite_header, host_rewrite_path_regex) as it is after the header operations; undefined keeps the caller's. */
  readonly hostRewriteFrom?: ((head: RequestHead) => string | undefined) | undefined;
  /** Header that names the cluster (cluster_header); `clusters` then holds one entry without a name, with this header. */
  readonly clusterHeader?: string | undefined;
  /** Rewrites the path (prefix or regex); undefined keeps it byte for byte. */
  readonly rewritePath: ((path: string) => string) | undefined;
  readonly mirrors: readonly MirrorPlan[];
  /** Hash of the request for consistent-hash balancers; undefined where no hash policy is set. */
  readonly hash: ((head: RequestHead) => bigint | undefined) | undefined;
  /** Each attempt says its number in x-envoy-attempt-count (VirtualHost.include_request_attempt_count). */
  readonly includeAttemptCount?: boolean | undefined;
  /** The answer says in x-envoy-attempt-count how many attempts it took (VirtualHost.include_attempt_count_in_response). */
  readonly includeAttemptCountInResponse?: boolean | undefined;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly status: number;
  location(head: RequestHead): string;
}

export interface DirectResponseAction {
  readonly kind: 'direct-response';
  readonly status: number;
  readonly body: string;
}

/** Clusters with cumulative weights; a draw in [0, total) picks the first whose cumulative weight is greater. */
export interface WeightedClusters {
  readonly entries: readonly WeightedCluster[];
  readonly totalWeight: number;
}

export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
  readonly cumulativeWeight: number;
  /** Header of the request that names the cluster; `name` is then empty. */
  readonly clusterHeader?: string | undefined;
  /** New host header for calls that take this entry; undefined = the route's. */
  readonly hostRewrite?: string | undefined;
  /** Applied before the route's (Envoy's order: weighted cluster, route, virtual host, table). */
  readonly requestHeaders: HeaderOperations | undefined;
  readonly responseHeaders: HeaderOperations | undefined;
  /** Filter chain with this entry's overrides where it has any; undefined = the route's. */
  readonly filters: readonly HttpFilter[] | undefined;
}

export interface MirrorPlan {
  readonly cluster: string;
  /** 0 to 1. */
  readonly fraction: number;
}

/** Envoy's retry policy, compiled (Envoy: router filter, x-envoy-retry-on). */
export interface RetryPlan {
  readonly conditions: RetryConditions;
  /** Attempts after the first. */
  readonly numRetries: number;
  /** 0 = none. */
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  /** Base interval (default 25 ms) and maximum (default 10 times the base) of the jittered exponential back-off. */
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  /** True with the previous_hosts predicate: an attempt avoids endpoints already tried. */
  readonly avoidPreviousHosts: boolean;
  readonly hostSelectionAttempts: number;
}

export interface RetryConditions {
  readonly on5xx: boolean;
  readonly gatewayError: boolean;
  readonly reset: boolean;
  readonly resetBeforeRequest: boolean;
  readonly connectFailure: boolean;
  readonly refusedStream: boolean;
  readonly retriable4xx: boolean;
  readonly envoyRateLimited: boolean;
  /** Sorted status codes of `retriable-status-codes`; empty when the condition is off. */
  readonly statusCodes: readonly number[];
  /** gRPC codes (cancelled 1, deadline-exceeded 4, resource-exhausted 8, internal 13, unavailable 14). */
  readonly grpcCodes: readonly number[];
}

/** Header operations in order of application. `value` may need the request or the endpoint (Envoy's formatters), hence functions. */
export interface HeaderOperations {
  readonly remove: readonly string[];
  readonly set: readonly HeaderOperation[];
}

export interface HeaderOperation {
  /** Lower-case name. */
  readonly name: string;
  readonly mode: 'append' | 'overwrite' | 'add-if-absent' | 'overwrite-if-exists';
  readonly keepEmptyValue: boolean;
  /** A constant, or a formatter for values with %OPERATORS%. */
  readonly value: string | ((context: FormatContext) => string);
}

/** What %OPERATORS% can see. */
export interface FormatContext {
  readonly head: RequestHead;
  readonly responseHeader: ((name: string) => string | undefined) | undefined;
  readonly upstreamAddress: string | undefined;
  readonly upstreamCluster: string | undefined;
  readonly downstreamAddress: string | undefined;
  readonly wallMs: number;
}
