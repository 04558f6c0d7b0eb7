// Whatever an application hands over as headers, nothing reaches undici that its constructor would refuse.
import fc from 'fast-check';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { MeshError } from '../../errors.js';
import { HeaderFlattener, checkRequestLine } from './request-headers.js';

type RequestConstructor = new (origin: string, options: object, handler: object) => unknown;
const UndiciRequest = createRequire(import.meta.url)('undici/lib/core/request.js') as RequestConstructor;
const handler = {
  onRequestStart() {},
  onResponseStart() {},
  onResponseData() {},
  onResponseEnd() {},
  onResponseError() {},
};

describe('request headers', () => {
  it('come in every form that undici takes', () => {
    const flattener = new HeaderFlattener();
    const wanted = { flat: ['accept', 'a', 'x-list', '1', 'x-list', '2'], host: 'Reviews' };
    const pairs: [string, string | string[]][] = [
      ['Accept', 'a'],
      ['Host', 'Reviews'],
      ['X-List', ['1', '2']],
    ];
    expect(flattener.flatten(Object.fromEntries(pairs))).toEqual(wanted);
    expect(flattener.flatten(pairs.flat() as string[])).toEqual(wanted);
    expect(flattener.flatten(new Map(pairs))).toEqual(wanted);
    expect(flattener.flatten(undefined)).toEqual({ flat: [], host: undefined });
  });

  it('lose what belongs to one hop, nominated headers included', () => {
    const { flat } = new HeaderFlattener().flatten({
      'X-Secret-Hop': '1',
      Connection: 'keep-alive, X-Secret-Hop',
      'Keep-Alive': '5',
      'Transfer-Encoding': 'chunked',
      TE: 'gzip',
      Upgrade: 'h2c',
      Expect: '100-continue',
      'X-Kept': '1',
    });
    expect(flat).toEqual(['x-kept', '1']);
    expect(new HeaderFlattener().flatten({ te: 'trailers' }).flat).toEqual(['te', 'trailers']);
  });

  it('are either refused here or taken by undici', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('content-length', 'host', '12', 'a\r\nb', '__proto__'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), text, text, (pairs, path, method) => {
        const headers = pairs.flat();
        let flat: string[];
        try {
          checkRequestLine(method, `/${path}`);
          flat = new HeaderFlattener().flatten(headers).flat;
        } catch (error) {
          expect(MeshError.is(error) && error.code).toBe('INVALID_REQUEST');
          return;
        }
        expect(() => new UndiciRequest('http://a', { path: `/${path}`, method, headers: flat }, handler)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
