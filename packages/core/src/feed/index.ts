// The feed room: the subscriptions that turn what feeds say into views. ads/ads-feed.js is imported where an ADS feed is opened: it loads
// grpc-js, which a mesh of files does without.
export { fallbackFeed, type FallbackOptions } from './fallback-feed.js';
export type { FeedEvent, RejectedStatus, SubscriptionStatus, TypeStatus } from './feed-status.js';
export type { ResourceInspector, ResourceReference, ResourceView } from './resource-view.js';
export { Subscriptions, type SubscriptionsOptions } from './subscriptions.js';
