import { RouteMatchSchema, VirtualHostSchema, fromJson, type JsonObject } from '@heddle/xds';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePathSpecifier } from '../../matching/path-matcher.js';
import type { RequestHead } from '../../request-head.js';
import { CompileReport } from '../compile-report.js';
import { buildPathIndex } from './path-index.js';
import type { RouteScope } from './route-entry.js';
import { compileRouteMatch, whyNot } from './route-match.js';
import { CompiledVirtualHost } from './virtual-host.js';

const segment = fc.constantFrom('/a', '/ab', '/b', '/', 'a', '');
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('')}`);
const match: fc.Arbitrary<JsonObject> = fc
  .tuple(
    fc.oneof(
      path.map((prefix) => ({ prefix })),
      path.map((value) => ({ path: value })),
      path.map((prefix) => ({ prefix, case_sensitive: false })),
      path.map((prefix) => ({ prefix: `${prefix}?q` })),
      path.map((value) => ({ path_separated_prefix: `${value.replace(/\/+$/, '')}/x` })),
      fc.constantFrom('/a.*', '/b|/a/b', '.*b').map((regex) => ({ safe_regex: { regex } })),
    ),
    fc.option(fc.constant<JsonObject>({ headers: [{ name: 'x', string_match: { exact: '1' } }] }), { nil: {} }),
  )
  .map(([base, rest]) => ({ ...base, ...rest }));

const scope: RouteScope = {
  tableName: 't',
  virtualHostName: 'v',
  headerLevels: () => [],
  mostSpecificHeadersWin: false,
  retryPolicy: undefined,
  mirrors: [],
  maxDirectBodyBytes: 4096,
  filtersFor: () => [],
  includeAttemptCount: false,
  includeAttemptCountInResponse: false,
};

const headOf = (requestPath: string, x: string | undefined): RequestHead => ({
  method: 'GET',
  path: requestPath,
  authority: 'a',
  scheme: 'http',
  header: (name) => (name === 'x' ? x : undefined),
});

describe('the path index', () => {
  it('takes the route that going through the list would take, for any table and request', () => {
    fc.assert(
      fc.property(
        fc.array(match, { maxLength: 24 }),
        path,
        fc.constantFrom('', '?q=1', '#f'),
        fc.constantFrom('1', undefined),
        (matches, base, rest, x) => {
          const report = new CompileReport('t');
          const routes = matches.map((one, index) => ({ name: `r${index}`, match: one, route: { cluster: 'c' } }));
          const host = new CompiledVirtualHost(
            fromJson(VirtualHostSchema, { name: 'v', domains: ['*'], routes }),
            scope,
            '',
            report,
          );
          const head = headOf(base + rest, x);
          const linear = matches.findIndex(
            (one) =>
              whyNot(compileRouteMatch(fromJson(RouteMatchSchema, one), '', report), head, () => 0.5) === undefined,
          );
          expect(host.match(head, () => 0.5)?.index ?? -1).toBe(linear);
          expect(host.explain(head, () => 0.5).plan?.index ?? -1).toBe(linear);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('lists no route twice and keeps regexes aside', () => {
    const paths = [{ prefix: '/a' }, { path: '/a' }, { safe_regex: { regex: '/a' } }, { prefix: '/' }].map((one) =>
      compilePathSpecifier(fromJson(RouteMatchSchema, one)),
    );
    const index = buildPathIndex(paths);
    expect(index.candidates('/a')).toEqual([0, 1, 3]);
    expect(index.candidates('/ab')).toEqual([0, 3]);
    expect(index.candidates('/a?x=1')).toEqual([0, 1, 3]);
    expect(index.candidates('x')).toEqual([]);
    expect(index.others).toEqual([2]);
  });
});
