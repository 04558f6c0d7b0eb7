// What the subscriptions tell operators: status, events, and in words what a start waits for.
import type { FeedState, ResourceTypeUrl } from '@heddle/xds';
import type { AwaitedResource } from './warming.js';

export interface TypeStatus {
  readonly typeUrl: ResourceTypeUrl;
  /** Version of the last update; empty before the first. */
  readonly version: string;
  /** Resources in force. */
  readonly count: number;
  /** Resources accepted last; differs from `count` while some are warming. */
  readonly acceptedCount: number;
  /** Names that were asked for and do not exist. */
  readonly missing: readonly string[];
}

export interface RejectedStatus {
  readonly typeUrl: ResourceTypeUrl;
  readonly name: string;
  readonly message: string;
  /** Version that was refused. */
  readonly version: string;
  /** RFC 3339 time of its first refusal. */
  readonly since: string;
  /** True when an older version of it is in force. */
  readonly lastGoodInForce: boolean;
}

export interface SubscriptionStatus {
  /** The feed's name. */
  readonly name: string;
  readonly phase: FeedState['phase'];
  /** Why the feed is disconnected. */
  readonly reason: string | undefined;
  /** Generation of the view in force; 0 = none yet. */
  readonly generation: number;
  readonly ready: boolean;
  /** Time since the view in force was made; undefined when there is none. */
  readonly ageMs: number | undefined;
  /** Time since the feed last said anything about a resource; undefined when it never did. */
  readonly lastUpdateAgeMs: number | undefined;
  readonly types: readonly TypeStatus[];
  readonly rejected: readonly RejectedStatus[];
  /** Resources that hold an accepted change back, `ClusterLoadAssignment a (needed by Cluster a)`. */
  readonly awaited: readonly string[];
  /** What the first complete view waits for; undefined when ready. */
  readonly waitingFor: string | undefined;
}

export type FeedEvent =
  | { readonly kind: 'state'; readonly state: FeedState }
  /** Once for each version of a resource, however often it is pushed. */
  | {
      readonly kind: 'rejected';
      readonly typeUrl: ResourceTypeUrl;
      readonly name: string;
      readonly version: string;
      readonly message: string;
    }
  | { readonly kind: 'recovered'; readonly typeUrl: ResourceTypeUrl; readonly name: string }
  | { readonly kind: 'missing'; readonly typeUrl: ResourceTypeUrl; readonly names: readonly string[] }
  /** The first complete view is there. */
  | { readonly kind: 'ready'; readonly afterMs: number }
  /** `onView` threw; the view is in force all the same. */
  | { readonly kind: 'view-failed'; readonly error: unknown };

/** `Cluster` of `type.googleapis.com/envoy.config.cluster.v3.Cluster`. */
export function typeLabel(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}

export function describeAwaited({ typeUrl, name, neededBy }: AwaitedResource): string {
  return `${typeLabel(typeUrl)} ${name} (needed by ${neededBy})`;
}

export interface StartUpFacts {
  readonly feedName: string;
  readonly state: FeedState;
  readonly sinceMs: number;
  /** Wildcard types that were not answered yet. */
  readonly unanswered: readonly ResourceTypeUrl[];
  readonly awaited: readonly AwaitedResource[];
  readonly rejected: readonly RejectedStatus[];
}

const NAMED = 3;

/** Says which resource is awaited, since when, from which feed, and the likely mistake. */
export function readyReason(facts: StartUpFacts): string {
  const since = `for ${(facts.sinceMs / 1000).toFixed(1)} s`;
  const { state, feedName } = facts;
  if (state.phase === 'disconnected') {
    return `no configuration from ${feedName} ${since}: ${state.reason} (is the feed running, and its address right?)`;
  }
  const nothing = facts.unanswered.length === 2 && facts.awaited.length === 0;
  if (state.phase === 'connecting' && nothing) return `connecting to ${feedName} ${since} (attempt ${state.attempt})`;
  const refused = facts.rejected[0] === undefined ? '' : `; refused: ${facts.rejected[0].message}`;
  const waits = [
    ...facts.unanswered.map((typeUrl) => `any ${typeLabel(typeUrl)}`),
    ...facts.awaited.slice(0, NAMED).map(describeAwaited),
  ];
  const more = facts.awaited.length > NAMED ? ` and ${facts.awaited.length - NAMED} more` : '';
  return `waiting ${since} for ${waits.join(', ')}${more} from ${feedName}${refused}`;
}
