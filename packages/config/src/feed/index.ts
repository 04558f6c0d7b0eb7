// Feeds over configuration, and what the feed server needs to serve many workloads from one view.
export {
  type ConfigFeedOptions,
  type FeedDiagnostics,
  type ObjectFeed,
  configFeed,
  folderFeed,
  openConfigFeed,
} from './config-feed.js';
export { type ConfigEdition, FileSource, type FileSourceOptions } from './file-source.js';
export { translateForNode } from './mesh-translator.js';
export { workloadClassKey, workloadOf } from './node-workload.js';
export { type EncodedMessages, type ServedResource, type ServedResources, servedResources } from './raw-resources.js';
