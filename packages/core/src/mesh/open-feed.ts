// From what the user said to a Feed: server URLs become ADS clients, paths are opened by @heddle/config (an optional peer, loaded on demand).
import type { Feed } from '@heddle/xds';
import type { Clock } from '../clock.js';
import type { Draws } from '../draws.js';
import { MeshError } from '../errors.js';
import { controlPlaneName } from './control-plane-name.js';
import type { MeshSettings } from './mesh-settings.js';

export interface FeedOpening {
  readonly settings: MeshSettings;
  readonly clock: Clock;
  readonly draws: Draws;
}

/** Undefined without any feed. Throws MeshError CONFIG_INVALID for a URL that makes no sense or a missing @heddle/config. */
export async function openFeed(opening: FeedOpening): Promise<Feed | undefined> {
  const { feeds } = opening.settings;
  const opened: Feed[] = [];
  // Paths that follow each other are one folder feed: `services.yaml,policies/` is one configuration, not a fallback.
  for (const entry of groupPaths(feeds)) opened.push(await openOne(entry, opening));
  if (opened.length <= 1) return opened[0];
  const { fallbackFeed } = await import('../feed/fallback-feed.js');
  return fallbackFeed(opened, { clock: opening.clock });
}

type FeedEntry = Feed | { readonly url: string } | { readonly paths: readonly string[] };

function groupPaths(feeds: readonly (string | Feed)[]): FeedEntry[] {
  const entries: FeedEntry[] = [];
  let paths: string[] | undefined;
  for (const feed of feeds) {
    if (typeof feed === 'string' && !feed.includes('://')) {
      if (paths === undefined) entries.push({ paths: (paths = []) });
      paths.push(feed);
      continue;
    }
    paths = undefined;
    entries.push(typeof feed === 'string' ? { url: feed } : feed);
  }
  return entries;
}

async function openOne(entry: FeedEntry, opening: FeedOpening): Promise<Feed> {
  if ('open' in entry) return entry;
  if ('paths' in entry) return openPaths(entry.paths);
  if (!/^xdss?:\/\/[^/]+:\d+\/?$/.test(entry.url)) {
    throw new MeshError(
      'CONFIG_INVALID',
      `feed: expected xds://host:port, xdss://host:port or a path, got "${entry.url}"`,
    );
  }
  const { settings, clock, draws } = opening;
  const { adsFeed } = await import('../feed/ads/ads-feed.js');
  return adsFeed({
    url: entry.url.replace(/\/$/, ''),
    tokenFile: settings.tokenFile,
    rootCertFile: settings.rootCertFile,
    serverName: controlPlaneName(settings, entry.url.replace(/^xdss?:\/\/|\/$/g, '')),
    clock,
    draws,
  });
}

async function openPaths(paths: readonly string[]): Promise<Feed> {
  let config: { openConfigFeed(paths: readonly string[]): Feed };
  try {
    // The name is not a literal, so that core has no build-time dependency on its optional peer.
    config = (await import(OPTIONAL_PEER)) as typeof config;
  } catch (cause) {
    const message = `feed "${paths.join(', ')}" is a path, and paths are opened by ${OPTIONAL_PEER}, which is not installed: npm install ${OPTIONAL_PEER}`;
    throw new MeshError('CONFIG_INVALID', message, { cause });
  }
  return config.openConfigFeed(paths);
}

const OPTIONAL_PEER: string = '@heddle/config';
