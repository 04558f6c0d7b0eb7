// The shape of `mesh.status()`: what is in force, from where, how fresh, and what is wrong. Plain data, safe to print: no keys, no certificates.
import type { ClusterReport } from '../cluster-state/cluster-report.js';
import type { UnsupportedField } from '../snapshot/snapshot.js';

export interface ResourceTypeStatus {
  readonly typeUrl: string;
  /** Version of the last accepted update. */
  readonly version: string;
  readonly count: number;
}

export interface RejectedResourceStatus {
  readonly typeUrl: string;
  readonly name: string;
  readonly message: string;
}

export interface FeedStatus {
  /** As given: `xds://127.0.0.1:15010`, `folder ./mesh`; `none` without a feed. */
  readonly name: string;
  readonly phase: 'none' | 'connecting' | 'connected' | 'disconnected';
  /** Why it is disconnected. */
  readonly reason: string | undefined;
  /** Generation of the configuration in force; 0 = none yet. */
  readonly generation: number;
  /** Time since the configuration in force arrived; undefined when there is none. */
  readonly ageMs: number | undefined;
  readonly types: readonly ResourceTypeStatus[];
  readonly rejected: readonly RejectedResourceStatus[];
  /** What a start waits for, in words; undefined when everything has arrived. */
  readonly waitingFor: string | undefined;
}

export interface IdentityStatus {
  readonly provider: string;
  readonly spiffeId: string | undefined;
  readonly notAfter: string | undefined;
  readonly expiresInMs: number | undefined;
  /** Last failure of fetching or renewing, until the next success. */
  readonly failure: string | undefined;
}

export interface MeshStatus {
  readonly service: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly ready: boolean;
  readonly draining: boolean;
  readonly feed: FeedStatus;
  readonly identity: IdentityStatus;
  /** Clusters that calls have used. */
  readonly clusters: readonly ClusterReport[];
  /** Fields that are set and not honoured, with their paths. */
  readonly unsupported: readonly UnsupportedField[];
}
