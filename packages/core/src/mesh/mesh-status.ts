// The shape of `mesh.status()`: what is in force, from where, how fresh, and what is wrong. Plain data, safe to print: no keys, no certificates.
import type { ClusterReport } from '../cluster-state/cluster-report.js';
import type { SubscriptionStatus } from '../feed/feed-status.js';
import type { IdentityState } from '../identity/identity-provider.js';
import type { UnsupportedField } from '../snapshot/snapshot.js';
import type { MeshSettings } from './mesh-settings.js';

export interface FeedStatus extends Omit<SubscriptionStatus, 'phase'> {
  /** `none` without a feed. */
  readonly phase: SubscriptionStatus['phase'] | 'none';
}

export interface IdentityStatus {
  readonly provider: string;
  readonly spiffeId: string | undefined;
  /** RFC 3339. */
  readonly notAfter: string | undefined;
  readonly expiresInMs: number | undefined;
  /** Trust domains whose peers can be verified. */
  readonly trustDomains: readonly string[];
  /** Last failure of fetching or renewing, until the next success. */
  readonly failure: string | undefined;
}

export interface MeshStatus {
  readonly service: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Heddle's version. */
  readonly version: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly feed: FeedStatus;
  readonly identity: IdentityStatus;
  /** Clusters that calls have used. */
  readonly clusters: readonly ClusterReport[];
  /** Fields that are set and not honoured, with their paths. */
  readonly unsupported: readonly UnsupportedField[];
}

const WITHOUT_FEED: FeedStatus = {
  name: 'none',
  phase: 'none',
  reason: undefined,
  generation: 0,
  ready: true,
  ageMs: undefined,
  lastUpdateAgeMs: undefined,
  types: [],
  rejected: [],
  awaited: [],
  waitingFor: undefined,
};

export function feedStatus(status: SubscriptionStatus | undefined): FeedStatus {
  return status ?? WITHOUT_FEED;
}

export function identityStatus(
  { identity }: MeshSettings,
  { svid, bundles }: IdentityState,
  failure: string | undefined,
  wallMs: number,
): IdentityStatus {
  return {
    provider: typeof identity === 'string' ? identity : identity.name,
    spiffeId: svid?.spiffeId,
    notAfter: svid === undefined ? undefined : new Date(svid.notAfterWallMs).toISOString(),
    expiresInMs: svid === undefined ? undefined : svid.notAfterWallMs - wallMs,
    trustDomains: [...bundles.byDomain.keys()],
    failure,
  };
}
