// @heddle/feed: the shared feed. Serves configuration over ADS, tells how far each client got, and issues development certificates.
export { startFeedServer } from './ads-server.js';
export type { FeedClock, FeedLog, FeedServer, FeedServerOptions, FeedServerStatus } from './ads-server.js';
export type { ClientStatus, ClientTypeStatus } from './client-status.js';
export type { RefusedEdition } from './config-in-force.js';
export { type ConfigSource, type ObjectSource, folderSource, objectSource } from './config-source.js';
export type { Nack, SyncState } from './subscription-state.js';
export * from './ca/index.js';
