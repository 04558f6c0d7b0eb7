// A token bucket in front of a port or a route (Envoy: envoy.filters.http.local_ratelimit). The bucket outlives snapshots while its configuration stays.
import { createHash } from 'node:crypto';
import {
  type Any,
  LOCAL_RATE_LIMIT_TYPE_URL,
  type LocalRateLimit,
  LocalRateLimitSchema,
  type TokenBucket as TokenBucketConfig,
  toBinary,
  XRateLimitHeadersRFCVersion,
} from '@heddle/xds';
import { ERROR_KINDS } from '../errors.js';
import { configFault, durationMs, unpackConfig } from './filter-config.js';
import { chosen, runtimeFraction } from './fractional-percent.js';
import type {
  FilterAction,
  FilterBuild,
  FilterContext,
  FilterKind,
  FilterRequest,
  HttpFilter,
  ReplyAction,
} from './http-filter.js';
import { TokenBucket } from './rate-limit/token-bucket.js';

type Header = readonly [name: string, value: string];

/** Envoy refuses faster filling. */
const MIN_FILL_INTERVAL_MS = 50;

export const localRateLimitFilterKind: FilterKind = {
  typeUrl: LOCAL_RATE_LIMIT_TYPE_URL,
  perRouteTypeUrls: [LOCAL_RATE_LIMIT_TYPE_URL],
  security: false,
  compile(config: Any | undefined, override: Any | undefined, build: FilterBuild) {
    const limit = unpackConfig(LocalRateLimitSchema, override ?? config, build.name);
    if (limit === undefined) return undefined;
    reportUnsupported(limit, build);
    if (limit.tokenBucket === undefined) return undefined;
    const rate = compileBucket(limit.tokenBucket);
    const shares = compileShares(limit);
    return shares.enabled === 0 ? undefined : new LocalRateLimitFilter(limit, rate, shares, build);
  },
};

interface BucketRate {
  readonly maxTokens: number;
  readonly tokensPerMs: number;
}

interface Shares {
  readonly enabled: number;
  readonly enforced: number;
}

class LocalRateLimitFilter implements HttpFilter {
  readonly name: string;
  readonly typeUrl = LOCAL_RATE_LIMIT_TYPE_URL;
  readonly #shares: Shares;
  readonly #bucket: TokenBucket;
  readonly #tellsRemaining: boolean;
  readonly #reply: ReplyAction;
  readonly #unenforcedHeaders: readonly Header[];

  constructor(limit: LocalRateLimit, rate: BucketRate, shares: Shares, build: FilterBuild) {
    this.name = build.name;
    this.#shares = shares;
    this.#bucket = build.state.stateFor(
      stateKey(limit, build),
      () => new TokenBucket(rate.maxTokens, rate.tokensPerMs, build.clock.nowMs()),
    );
    this.#tellsRemaining = limit.enableXRatelimitHeaders !== XRateLimitHeadersRFCVersion.OFF;
    this.#reply = compileReply(limit);
    this.#unenforcedHeaders = headerValues(limit.requestHeadersToAddWhenNotEnforced);
  }

  decide(_request: FilterRequest, { draw, nowMs }: FilterContext): FilterAction | undefined {
    if (!chosen(this.#shares.enabled, () => draw('filter-enabled'))) return undefined;
    if (this.#bucket.consume(1, nowMs) === 1)
      return this.#tellsRemaining ? amend([], this.#quotaHeaders(nowMs)) : undefined;
    if (!chosen(this.#shares.enforced, () => draw('runtime-fraction'))) return amend(this.#unenforcedHeaders, []);
    const retryAfter = String(Math.max(1, Math.ceil(this.#bucket.nextTokenInMs(nowMs) / 1_000)));
    const headers = [['retry-after', retryAfter] as const, ...this.#quotaHeaders(nowMs), ...this.#reply.headers];
    return { ...this.#reply, headers };
  }

  explain(): ReturnType<HttpFilter['explain']> {
    return { verdict: 'info', reason: `local rate limit: bucket of ${this.#bucket.maxTokens} tokens` };
  }

  /** The three headers of draft-ietf-httpapi-ratelimit-headers-03, in whole requests and seconds. */
  #quotaHeaders(nowMs: number): Header[] {
    return [
      ['x-ratelimit-limit', String(this.#bucket.maxTokens)],
      ['x-ratelimit-remaining', String(Math.floor(this.#bucket.available(nowMs)))],
      ['x-ratelimit-reset', String(Math.ceil(this.#bucket.nextTokenInMs(nowMs) / 1_000))],
    ];
  }
}

/** Envoy: local_rate_limit.proto; the bounds are Envoy's own. */
function compileBucket(config: TokenBucketConfig): BucketRate {
  const fillIntervalMs = durationMs(config.fillInterval);
  const tokensPerFill = config.tokensPerFill ?? 1;
  if (config.maxTokens < 1) throw configFault('token_bucket.max_tokens', `must be at least 1, got ${config.maxTokens}`);
  if (tokensPerFill < 1) throw configFault('token_bucket.tokens_per_fill', `must be at least 1, got ${tokensPerFill}`);
  if (fillIntervalMs === undefined) throw configFault('token_bucket.fill_interval', 'must be set');
  if (fillIntervalMs < MIN_FILL_INTERVAL_MS)
    throw configFault(
      'token_bucket.fill_interval',
      `must be at least ${MIN_FILL_INTERVAL_MS} ms, got ${fillIntervalMs} ms`,
    );
  return { maxTokens: config.maxTokens, tokensPerMs: tokensPerFill / fillIntervalMs };
}

/** A bucket without any fraction is enforced for all (docs/adr/0006); as soon as one is given, Envoy's defaults (0 %) hold for the other. */
function compileShares(limit: LocalRateLimit): Shares {
  if (limit.filterEnabled === undefined && limit.filterEnforced === undefined) return { enabled: 1, enforced: 1 };
  return { enabled: runtimeFraction(limit.filterEnabled, 0), enforced: runtimeFraction(limit.filterEnforced, 0) };
}

function compileReply(limit: LocalRateLimit): ReplyAction {
  // Envoy: a status below 400 would let a refused request look served, so it falls back to 429.
  const asked: number = limit.status?.code ?? 429;
  const { body, flag } = ERROR_KINDS.RATE_LIMITED;
  return {
    kind: 'reply',
    code: 'RATE_LIMITED',
    status: asked < 400 ? 429 : asked,
    // Envoy: UNAVAILABLE, unless RESOURCE_EXHAUSTED is asked for.
    grpcStatus: limit.rateLimitedAsResourceExhausted ? 8 : 14,
    headers: headerValues(limit.responseHeadersToAdd),
    body,
    flag,
    details: 'local_rate_limited',
    policy: limit.statPrefix === '' ? undefined : limit.statPrefix,
  };
}

function headerValues(options: LocalRateLimit['responseHeadersToAdd']): Header[] {
  return options.flatMap(({ header }) =>
    header === undefined || header.key === '' ? [] : [[header.key.toLowerCase(), header.value] as const],
  );
}

function amend(setRequestHeaders: readonly Header[], setResponseHeaders: readonly Header[]): FilterAction | undefined {
  if (setRequestHeaders.length === 0 && setResponseHeaders.length === 0) return undefined;
  return { kind: 'amend', setRequestHeaders, removeRequestHeaders: [], setResponseHeaders, dynamicMetadata: undefined };
}

function stateKey(limit: LocalRateLimit, build: FilterBuild): string {
  const version = createHash('sha256').update(toBinary(LocalRateLimitSchema, limit)).digest('base64url');
  return `${build.scope}/${build.name}/local-rate-limit/${version}`;
}

function reportUnsupported(limit: LocalRateLimit, build: FilterBuild): void {
  if (limit.descriptors.length > 0 || limit.rateLimits.length > 0)
    build.unsupported('$.descriptors', 'only the default token bucket limits requests');
  if (limit.localRateLimitPerDownstreamConnection)
    build.unsupported('$.local_rate_limit_per_downstream_connection', 'one bucket serves all connections');
  if (limit.localClusterRateLimit !== undefined)
    build.unsupported(
      '$.local_cluster_rate_limit',
      'the limit is not shared between instances: each has the whole of it',
    );
}
