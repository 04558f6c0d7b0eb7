import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseB3 } from './b3.js';
import { parseGrpcTimeout, remainingMsOf } from './deadline-headers.js';
import { createIdSource, entropySeed } from './id-source.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';
import { parseTracestate } from './tracestate.js';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));

describe('traceparent', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(hex(31), hex(15), fc.boolean(), fc.boolean(), (trace, span, sampled, random) => {
        const header = formatTraceparent(`${trace}1`, `${span}1`, sampled, random);
        expect(parseTraceparent(header)).toEqual({ traceId: `${trace}1`, spanId: `${span}1`, sampled, random });
      }),
    );
  });

  it('never throws and never yields ids that break the grammar', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(54), (noise, at) => {
        const good = '00-12345678901234567890123456789012-1234567890123456-01';
        const parsed = parseTraceparent(good.slice(0, at) + noise + good.slice(at + 1));
        if (parsed !== undefined) expect(`${parsed.traceId}-${parsed.spanId}`).toMatch(/^[0-9a-f]{32}-[0-9a-f]{16}$/);
      }),
    );
  });
});

describe('tracestate and B3', () => {
  it('never throw on any text, and what goes on is stable', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const once = parseTracestate(text);
        expect(parseTracestate(once)).toBe(once);
        const b3 = parseB3((name) => (name === 'b3' ? text : undefined));
        if (b3 !== undefined && b3 !== 'malformed' && b3.traceId !== undefined)
          expect(b3.traceId).toMatch(/^([0-9a-f]{16}){1,2}$/);
      }),
    );
  });
});

describe('the deadline of a caller', () => {
  const remaining = (headers: Record<string, string>) => remainingMsOf((name) => headers[name]);

  it.each([
    ['100m', 100],
    ['2S', 2000],
    ['1M', 60_000],
    ['1H', 3_600_000],
    ['1500u', 1.5],
    ['99999999n', 99.999999],
  ])('grpc-timeout %s is %d ms', (text, ms) => expect(parseGrpcTimeout(text)).toBeCloseTo(ms, 9));

  it.each(['', 'm', '100', '-1m', '1 m', '123456789m', '1.5S', '1x'])('ignores the malformed grpc-timeout %j', (text) =>
    expect(parseGrpcTimeout(text)).toBeUndefined(),
  );

  it('is the nearer one when both headers came, and a timeout of 0 in Envoy means none', () => {
    expect(remaining({ 'grpc-timeout': '5S', 'x-envoy-expected-rq-timeout-ms': '250' })).toBe(250);
    expect(remaining({ 'grpc-timeout': '100m', 'x-envoy-expected-rq-timeout-ms': '250' })).toBe(100);
    expect(remaining({ 'x-envoy-expected-rq-timeout-ms': '0' })).toBeUndefined();
    expect(remaining({ 'x-envoy-expected-rq-timeout-ms': '1e3' })).toBeUndefined();
  });
});

describe('ids', () => {
  it('request ids are version 4 UUIDs, as Envoy makes them', () => {
    const ids = createIdSource(entropySeed());
    for (let count = 0; count < 1000; count++)
      expect(ids.requestId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('differ between processes and within one', () => {
    const seen = new Set<string>();
    for (let process = 0; process < 20; process++) {
      const ids = createIdSource(entropySeed());
      for (let count = 0; count < 500; count++) seen.add(ids.requestId()).add(ids.traceId()).add(ids.spanId());
    }
    expect(seen.size).toBe(20 * 500 * 3);
  });

  it('repeat for a given seed, so that a test can name them', () => {
    const seed = Uint32Array.of(1, 2, 3, 4);
    expect(createIdSource(seed).traceId()).toBe(createIdSource(seed).traceId());
    expect(createIdSource(new Uint32Array(4)).traceId()).not.toBe('0'.repeat(32));
  });
});
