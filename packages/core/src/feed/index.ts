// The feed room: opening feeds, and the subscriptions that turn what they say into views.
export { adsFeed, type AdsFeedOptions } from './ads/ads-feed.js';
export { fallbackFeed, type FallbackOptions } from './fallback-feed.js';
export type { FeedEvent, RejectedStatus, SubscriptionStatus, TypeStatus } from './feed-status.js';
export type { ResourceInspector, ResourceReference, ResourceView } from './resource-view.js';
export { Subscriptions, type SubscriptionsOptions } from './subscriptions.js';
