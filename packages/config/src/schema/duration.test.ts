import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGatewayDuration, parseGoDuration } from './duration.js';

describe('durations', () => {
  it('of Istio are read as Go reads them', () => {
    const cases: readonly [string, number | undefined][] = [
      ['10s', 10_000],
      ['1h30m', 5_400_000],
      ['0.5s', 500],
      ['.5s', 500],
      ['1.s', 1000],
      ['100ms', 100],
      ['1us', 0.001],
      ['1µs', 0.001],
      ['0', 0],
      ['-1s', -1000],
      ['+1s', 1000],
      ['', undefined],
      ['10', undefined],
      ['s', undefined],
      ['1d', undefined],
      ['1 s', undefined],
      ['1s ', undefined],
      ['-', undefined],
      ['1e3s', undefined],
    ];
    for (const [text, ms] of cases) expect([text, parseGoDuration(text)]).toEqual([text, ms]);
  });

  it('of Gateway API are the narrower form', () => {
    expect(['0s', '1h2m3s4ms', '500ms'].map(parseGatewayDuration)).toEqual([0, 3_723_004, 500]);
    expect(['0', '1.5s', '-1s', '123456s', '1us', '1s1s1s1s1s'].map(parseGatewayDuration)).toEqual(
      Array(6).fill(undefined),
    );
  });

  it('never crash the reader', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(['number', 'undefined']).toContain(typeof parseGoDuration(text));
      }),
    );
  });
});
