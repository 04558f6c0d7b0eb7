// A feed over xDS: one aggregated discovery stream to a control plane (istiod, a Heddle feed, any ADS server).
import type { Feed } from '@heddle/xds';
import { type Clock, systemClock } from '../../clock.js';
import { type Draws, seededDraws } from '../../draws.js';
import { parseFeedUrl } from './ads-channel.js';
import { AdsConnection } from './ads-connection.js';

export interface AdsFeedOptions {
  /** `xds://host:port` (plain) or `xdss://host:port` (TLS). Default ports 15010 and 15012. */
  readonly url: string;
  /** `auto` (default): delta, and state of the world from the moment that the server answers UNIMPLEMENTED. */
  readonly mode?: 'auto' | 'delta' | 'sotw' | undefined;
  /** Bearer token, read anew for every connection; sent over TLS only. */
  readonly tokenFile?: string | undefined;
  /** PEM roots for `xdss://`; default: the process's roots. Read anew for every connection after a failed one. */
  readonly rootCertFile?: string | undefined;
  /** Name that the server's certificate must bear when it is not the host of the URL. */
  readonly serverName?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly draws?: Draws | undefined;
  /** A silent connection is pinged after this time, and dead after `keepaliveTimeoutMs` more. Defaults 20 s and 10 s. */
  readonly keepaliveTimeMs?: number | undefined;
  readonly keepaliveTimeoutMs?: number | undefined;
  /** A connection on which nothing at all arrives is given up after this time. Default 30 s. */
  readonly silenceMs?: number | undefined;
  /** State of the world: a named resource that does not come within this time does not exist. Default 15 s. */
  readonly missingAfterMs?: number | undefined;
  /** Largest message taken. Default 100 MB. */
  readonly maxMessageBytes?: number | undefined;
}

/** Opens nothing until the mesh opens it. Throws CONFIG_INVALID for a malformed URL. */
export function adsFeed(options: AdsFeedOptions): Feed {
  const address = parseFeedUrl(options.url);
  const settings = {
    address,
    mode: options.mode ?? 'auto',
    tokenFile: options.tokenFile,
    rootCertFile: options.rootCertFile,
    serverName: options.serverName,
    clock: options.clock ?? systemClock,
    draws: options.draws ?? seededDraws(Date.now() ^ (process.pid << 8)),
    keepaliveTimeMs: options.keepaliveTimeMs ?? 20_000,
    keepaliveTimeoutMs: options.keepaliveTimeoutMs ?? 10_000,
    silenceMs: options.silenceMs ?? 30_000,
    missingAfterMs: options.missingAfterMs ?? 15_000,
    maxMessageBytes: options.maxMessageBytes ?? 100 * 1024 * 1024,
  };
  return { name: options.url, open: (node, sink) => new AdsConnection(settings, node, sink) };
}
