// The table of filter kinds: adding a filter is one file and one row here. A type URL that is not listed is unknown to Heddle.
import { corsFilterKind } from './cors-filter.js';
import { faultFilterKind } from './fault-filter.js';
import type { FilterKind } from './http-filter.js';
import { jwtAuthnFilterKind } from './jwt-authn-filter.js';
import { localRateLimitFilterKind } from './local-rate-limit-filter.js';
import type { NetworkFilterKind } from './network-filter.js';
import { rbacFilterKind } from './rbac-filter.js';
import { rbacNetworkFilterKind } from './rbac-network-filter.js';

export const httpFilterKinds: readonly FilterKind[] = [
  corsFilterKind,
  faultFilterKind,
  jwtAuthnFilterKind,
  localRateLimitFilterKind,
  rbacFilterKind,
];

export const networkFilterKinds: readonly NetworkFilterKind[] = [rbacNetworkFilterKind];
