import { FAULT_TYPE_URL, HTTPFaultSchema, type JsonValue, fromJson, packAny } from '@heddle/xds';
import { describe, expect, test } from 'vitest';
import { seededDraws } from '../draws.js';
import { filterContext, filterRequest } from '../testing/filter-requests.js';
import { filterBuild } from '../testing/inbound-fixtures.js';
import { faultFilterKind } from './fault-filter.js';
import type { FilterAction, FilterBuild, HttpFilter } from './http-filter.js';

function compile(json: JsonValue, build: FilterBuild = filterBuild()): HttpFilter | undefined {
  return faultFilterKind.compile(packAny(HTTPFaultSchema, fromJson(HTTPFaultSchema, json)), undefined, build);
}

function must(json: JsonValue, build?: FilterBuild): HttpFilter {
  const filter = compile(json, build);
  if (filter === undefined) throw new Error('nothing compiled');
  return filter;
}

const always = { numerator: 100 };
const delayed = (action: FilterAction | undefined) => (action?.kind === 'delay' ? action : undefined);

describe('aborts', () => {
  test('hit their share of requests: 5 % of 20,000', () => {
    const filter = must({ abort: { httpStatus: 503, percentage: { numerator: 5 } } });
    const draw = seededDraws(7);
    let aborted = 0;
    for (let i = 0; i < 20_000; i++)
      if (filter.decide(filterRequest(), filterContext({ draw })) !== undefined) aborted++;
    expect(aborted).toBeGreaterThan(900);
    expect(aborted).toBeLessThan(1_100);
  });

  test('answer as Envoy: status, text, flag and details', () => {
    expect(
      must({ abort: { httpStatus: 555, percentage: always } }).decide(filterRequest(), filterContext()),
    ).toMatchObject({
      status: 555,
      body: 'fault filter abort',
      flag: 'FI',
      details: 'fault_filter_abort',
    });
  });

  test('with a gRPC status answer both kinds of callers', () => {
    const action = must({ abort: { grpcStatus: 14, percentage: always } }).decide(filterRequest(), filterContext());
    expect(action).toMatchObject({ status: 200, grpcStatus: 14 });
  });

  test.each([
    ['TEN_THOUSAND', 5_001],
    ['MILLION', 500_001],
  ])('understand the denominator %s', (denominator, numerator) => {
    const percentage = { numerator, denominator };
    const share = must({ abort: { httpStatus: 503, percentage } });
    expect(share.decide(filterRequest(), filterContext({ draw: () => 0.5 }))).toBeDefined();
    expect(share.decide(filterRequest(), filterContext({ draw: () => 0.5002 }))).toBeUndefined();
  });

  test('without a percentage are off', () => {
    expect(compile({ abort: { httpStatus: 503 } })).toBeUndefined();
  });

  test.each([
    [{ abort: { httpStatus: 199, percentage: always } }, /http_status/],
    [{ abort: { percentage: always } }, /error_type/],
    [{ delay: { fixedDelay: '-1s', percentage: always } }, /fixed_delay/],
  ])('%j is refused', (json, message) => {
    expect(() => compile(json)).toThrow(message);
  });
});

describe('delays', () => {
  const both = { delay: { fixedDelay: '0.5s', percentage: always }, abort: { httpStatus: 503, percentage: always } };

  test('come first and the abort after them', () => {
    expect(must(both).decide(filterRequest(), filterContext())).toMatchObject({
      kind: 'delay',
      delayMs: 500,
      flag: 'DI',
      thenReply: { status: 503 },
    });
  });

  test('are drawn apart from aborts', () => {
    const half = { numerator: 50 };
    const filter = must({
      delay: { fixedDelay: '1s', percentage: half },
      abort: { httpStatus: 503, percentage: half },
    });
    const onlyDelay = filterContext({ draw: (name) => (name === 'fault-delay' ? 0 : 0.9) });
    expect(filter.decide(filterRequest(), onlyDelay)).toMatchObject({ kind: 'delay', thenReply: undefined });
    const onlyAbort = filterContext({ draw: (name) => (name === 'fault-abort' ? 0 : 0.9) });
    expect(filter.decide(filterRequest(), onlyAbort)).toMatchObject({ kind: 'reply' });
  });

  test('stop at max_active_faults and go on when one ends', () => {
    const filter = must({ ...both, maxActiveFaults: 1 });
    const first = delayed(filter.decide(filterRequest(), filterContext()));
    expect(filter.decide(filterRequest(), filterContext())).toBeUndefined();
    first?.onDone?.();
    expect(filter.decide(filterRequest(), filterContext())).toBeDefined();
  });

  test('count across a new snapshot of the same listener', () => {
    const build = filterBuild();
    must({ ...both, maxActiveFaults: 1 }, build).decide(filterRequest(), filterContext());
    expect(must({ ...both, maxActiveFaults: 1 }, build).decide(filterRequest(), filterContext())).toBeUndefined();
  });
});

describe('conditions', () => {
  const abort = { httpStatus: 503, percentage: always };

  test('all headers must match', () => {
    const headers = [
      { name: 'end-user', stringMatch: { exact: 'jason' } },
      { name: 'x-test', presentMatch: true },
    ];
    const filter = must({ abort, headers });
    expect(filter.decide(filterRequest({ headers: { 'end-user': 'jason' } }), filterContext())).toBeUndefined();
    expect(
      filter.decide(filterRequest({ headers: { 'end-user': 'jason', 'x-test': '' } }), filterContext()),
    ).toBeDefined();
  });

  test('only calls to the named upstream cluster', () => {
    const filter = must({ abort, upstreamCluster: 'outbound|9080||ratings' });
    expect(filter.decide(filterRequest(), filterContext())).toBeUndefined();
    expect(filter.decide(filterRequest({ cluster: 'outbound|9080||ratings' }), filterContext())).toBeDefined();
  });

  test('only calls from the named nodes', () => {
    const filter = must({ abort, downstreamNodes: ['a', 'b'] });
    expect(filter.decide(filterRequest(), filterContext())).toBeUndefined();
    const headers = { 'x-envoy-downstream-service-node': 'b' };
    expect(filter.decide(filterRequest({ headers }), filterContext())).toBeDefined();
  });

  test('what is not injected is reported', () => {
    const build = filterBuild();
    compile(
      { delay: { headerDelay: {}, percentage: always }, responseRateLimit: { fixedLimit: { limitKbps: '1' } } },
      build,
    );
    expect(build.reported).toEqual(['$.delay.header_delay', '$.response_rate_limit']);
    expect(faultFilterKind.typeUrl).toBe(FAULT_TYPE_URL);
  });
});
