// Envoy's token bucket cases. Data: shared corpora, envoy-stateful/token-bucket.json.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LocalRateLimitSchema, fromJson, packAny } from '@heddle/xds';
import { describe, expect, test } from 'vitest';
import { localRateLimitFilterKind } from '../../packages/core/src/filters/local-rate-limit-filter.js';
import { TokenBucket } from '../../packages/core/src/filters/rate-limit/token-bucket.js';
import { filterBuild } from '../../packages/core/src/testing/inbound-fixtures.js';

interface Step {
  readonly at: number;
  readonly consume: number;
  readonly allow_partial: boolean;
  readonly expected: number;
  readonly next_token_in_ms?: number;
}

interface BucketCase {
  readonly id: string;
  readonly given: {
    readonly max_tokens?: number;
    readonly fill_per_second?: number;
    readonly default_bucket?: { max_tokens: number; tokens_per_fill: number; fill_interval: string };
  };
  readonly steps: readonly Step[];
  readonly expected?: { readonly reject_config?: boolean };
}

const repository = resolve(import.meta.dirname, '../..');
const file = join(
  resolve(repository, process.env['HEDDLE_CORPORA'] ?? '../shared/corpora'),
  'envoy-stateful/token-bucket.json',
);
const cases = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: BucketCase[] }).cases : [];
/** Cases of features that the filter reports as unsupported, so they have nothing to run against. */
const unsupported = /^local-ratelimit-(?:.*wildcard|duplicate-descriptor)|^local-cluster-share$/;

describe.skipIf(!existsSync(file))('Envoy’s token bucket (skipped without the corpora)', () => {
  const run = cases.filter(({ id }) => !unsupported.test(id));

  test('eight of twelve cases need neither descriptors nor shared limits', () => {
    expect([cases.length, run.length]).toEqual([12, 8]);
  });

  test.each(run.map((one) => [one.id, one] as const))('%s', (_, { given, steps, expected }) => {
    if (expected?.reject_config === true) {
      const config = { statPrefix: 's', tokenBucket: snakeFree(given.default_bucket) };
      const any = packAny(LocalRateLimitSchema, fromJson(LocalRateLimitSchema, config));
      expect(() => localRateLimitFilterKind.compile(any, undefined, filterBuild())).toThrow('fill_interval');
      return;
    }
    const bucket = new TokenBucket(given.max_tokens ?? 0, (given.fill_per_second ?? 0) / 1_000, 0);
    for (const { at, consume, allow_partial, expected: granted, next_token_in_ms } of steps) {
      expect(bucket.consume(consume, at, allow_partial)).toBe(granted);
      // Envoy answers with the time of a whole fill; ours counts what has dripped in, so it is never later and never 0 too early.
      if (next_token_in_ms === undefined) continue;
      expect(bucket.nextTokenInMs(at)).toBeLessThanOrEqual(next_token_in_ms);
      expect(bucket.nextTokenInMs(at) === 0).toBe(next_token_in_ms === 0);
    }
  });
});

function snakeFree(bucket: BucketCase['given']['default_bucket']) {
  return {
    maxTokens: bucket?.max_tokens ?? 0,
    tokensPerFill: bucket?.tokens_per_fill ?? 0,
    fillInterval: bucket?.fill_interval ?? '',
  };
}
