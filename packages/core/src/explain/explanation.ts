// What `mesh.explain` answers: the decisions of a call in order, and how it would end.
import type { ExplainStep } from '../explain-types.js';
import type { ErrorCode } from '../errors.js';

export interface ExplainRequest {
  /** Default GET. */
  readonly method?: string;
  /** Absolute, as the application would call it: `http://reviews:9080/reviews/0`. */
  readonly url: string;
  /** By name; case does not matter. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ExplainedEndpoint {
  readonly address: string;
  /** Health as the feed says it. */
  readonly health: string;
  readonly weight: number;
  readonly ejected: boolean;
  /** Time until it may return, when ejected. */
  readonly ejectedForMs: number | undefined;
  readonly activeRequests: number;
  /** `mutual TLS` with the identities that are accepted, `TLS`, or `plain text`. */
  readonly security: string;
}

export interface ExplainedCluster {
  readonly name: string;
  /** Share of the calls, 0 to 1. */
  readonly share: number;
  readonly balancer: string;
  readonly endpoints: readonly ExplainedEndpoint[];
}

export type ExplainOutcome =
  /** Sent to one of the clusters by share. */
  | {
      readonly kind: 'forward';
      readonly clusters: readonly ExplainedCluster[];
      readonly timeoutMs: number;
      readonly retries: number;
      readonly perTryTimeoutMs: number;
    }
  /** Answered on the spot: redirect, direct response, fault of 100 %. */
  | { readonly kind: 'reply'; readonly status: number; readonly location: string | undefined }
  /** Leaves the mesh as it is (an unknown host with ALLOW_ANY, or no configuration at all). */
  | { readonly kind: 'passthrough'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'error';
      readonly code: ErrorCode;
      readonly status: number;
      /** Where it would have gone, when only endpoints are missing. */
      readonly clusters?: readonly ExplainedCluster[] | undefined;
    };

export interface Explanation {
  readonly request: { readonly method: string; readonly authority: string; readonly path: string };
  /** Generation of the configuration that decided. */
  readonly generation: number;
  readonly steps: readonly ExplainStep[];
  readonly outcome: ExplainOutcome;
}
