import { type JsonValue, LocalRateLimitSchema, UdpaTypedStructSchema, fromJson, packAny } from '@heddle/xds';
import { describe, expect, test } from 'vitest';
import { filterContext, filterRequest } from '../testing/filter-requests.js';
import { filterBuild } from '../testing/inbound-fixtures.js';
import { VirtualClock } from '../testing/virtual-clock.js';
import type { FilterBuild, HttpFilter } from './http-filter.js';
import { localRateLimitFilterKind } from './local-rate-limit-filter.js';

const clock = new VirtualClock();
const all = { defaultValue: { numerator: 100 } };
const none = { defaultValue: { numerator: 0 } };

function build(changes: Partial<FilterBuild> = {}): ReturnType<typeof filterBuild> {
  return filterBuild({ clock, ...changes });
}

function compile(json: JsonValue, into: FilterBuild = build()): HttpFilter | undefined {
  const config = packAny(LocalRateLimitSchema, fromJson(LocalRateLimitSchema, json));
  return localRateLimitFilterKind.compile(config, undefined, into);
}

/** How many of `count` requests at `nowMs` are let through. */
function admitted(filter: HttpFilter | undefined, count: number, nowMs: number): number {
  let passed = 0;
  for (let i = 0; i < count; i++) {
    const action = filter?.decide(filterRequest(), filterContext({ nowMs }));
    if (action?.kind !== 'reply') passed++;
  }
  return passed;
}

const bucket = (maxTokens: number, tokensPerFill: number, fillInterval: string) => ({
  statPrefix: 's',
  tokenBucket: { maxTokens, tokensPerFill, fillInterval },
});

test('an EnvoyFilter’s TypedStruct with a bucket alone limits to 100 a minute', () => {
  const value = { stat_prefix: 's', token_bucket: { max_tokens: 100, tokens_per_fill: 100, fill_interval: '60s' } };
  const typeUrl = localRateLimitFilterKind.typeUrl;
  const config = packAny(UdpaTypedStructSchema, { typeUrl, value });
  const filter = localRateLimitFilterKind.compile(config, undefined, build());
  expect(admitted(filter, 150, 0)).toBe(100);
  expect(admitted(filter, 150, 30_000)).toBe(50);
  expect(admitted(filter, 150, 600_000)).toBe(100);
});

describe('a refusal', () => {
  test('says when to come back and how much there is', () => {
    const filter = compile(bucket(10, 1, '5s'));
    expect(admitted(filter, 10, 0)).toBe(10);
    const action = filter?.decide(filterRequest(), filterContext({ nowMs: 1_000 }));
    expect(action).toMatchObject({
      status: 429,
      body: 'local_rate_limited',
      flag: 'RL',
      details: 'local_rate_limited',
    });
    expect(Object.fromEntries(action?.kind === 'reply' ? action.headers : [])).toEqual({
      'retry-after': '4',
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '4',
    });
  });

  test('has the status, headers and gRPC status that are asked for', () => {
    const filter = compile({
      ...bucket(1, 1, '60s'),
      status: { code: 'ServiceUnavailable' },
      rateLimitedAsResourceExhausted: true,
      responseHeadersToAdd: [{ header: { key: 'X-Local-Rate-Limit', value: 'true' } }],
    });
    admitted(filter, 1, 0);
    const action = filter?.decide(filterRequest(), filterContext());
    expect(action).toMatchObject({ status: 503, grpcStatus: 8 });
    expect(action?.kind === 'reply' && action.headers).toContainEqual(['x-local-rate-limit', 'true']);
  });

  test('is 429 where a status below 400 is asked for', () => {
    const filter = compile({ ...bucket(1, 1, '60s'), status: { code: 'OK' } });
    admitted(filter, 1, 0);
    expect(filter?.decide(filterRequest(), filterContext())).toMatchObject({ status: 429 });
  });
});

describe('fractions', () => {
  test('of which one is given leave the other at Envoy’s 0 %', () => {
    expect(compile({ ...bucket(1, 1, '60s'), filterEnforced: all })).toBeUndefined();
    expect(admitted(compile({ ...bucket(1, 1, '60s'), filterEnabled: all }), 5, 0)).toBe(5);
    expect(admitted(compile({ ...bucket(1, 1, '60s'), filterEnabled: all, filterEnforced: all }), 5, 0)).toBe(1);
    expect(compile({ ...bucket(1, 1, '60s'), filterEnabled: none, filterEnforced: all })).toBeUndefined();
  });

  test('enabled but not enforced marks the request for the application', () => {
    const filter = compile({
      ...bucket(1, 1, '60s'),
      filterEnabled: all,
      requestHeadersToAddWhenNotEnforced: [{ header: { key: 'X-Limited', value: 'yes' } }],
    });
    admitted(filter, 1, 0);
    expect(filter?.decide(filterRequest(), filterContext())).toMatchObject({
      kind: 'amend',
      setRequestHeaders: [['x-limited', 'yes']],
    });
  });
});

describe('the bucket', () => {
  test('outlives a new snapshot, but not a changed configuration', () => {
    const into = build();
    admitted(compile(bucket(5, 1, '60s'), into), 5, 0);
    expect(admitted(compile(bucket(5, 1, '60s'), into), 5, 0)).toBe(0);
    expect(admitted(compile(bucket(6, 1, '60s'), into), 9, 0)).toBe(6);
  });

  test('is one per place', () => {
    const state = build().state;
    admitted(compile(bucket(5, 1, '60s'), build({ state })), 5, 0);
    expect(admitted(compile(bucket(5, 1, '60s'), build({ state, scope: 'inbound/9090' })), 5, 0)).toBe(5);
  });

  test.each([
    [bucket(100, 1, '0.049s'), /fill_interval/],
    [bucket(0, 1, '1s'), /max_tokens/],
    [bucket(1, 0, '1s'), /tokens_per_fill/],
    [{ statPrefix: 's', tokenBucket: { maxTokens: 1 } }, /fill_interval/],
  ])('%j is refused', (json, message) => {
    expect(() => compile(json)).toThrow(message);
  });
});
