import { RouteConfigurationSchema, fromJson, type JsonValue } from '@heddle/xds';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestHead } from '../../request-head.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { CompileReport } from '../compile-report.js';
import { finish } from '../compile-steps.js';
import type { FormatContext, ForwardAction, RoutePlan } from '../route-snapshot.js';
import { DomainIndex } from './domain-index.js';
import { CompiledRouteTable } from './route-table.js';
import { decodedSource } from './table-source.js';

const deps = {
  filterKinds: [],
  filterState: { stateFor: <S>(_: string, create: () => S) => create() },
  clock: new VirtualClock(),
};

function table(json: JsonValue) {
  const report = new CompileReport('RouteConfiguration t');
  return {
    report,
    table: new CompiledRouteTable(decodedSource(fromJson(RouteConfigurationSchema, json)), '1', undefined, report),
  };
}

/** Compiles everything; faults come into the report. */
function check(made: ReturnType<typeof table>): void {
  finish(made.table.check(made.report, deps));
}

const head = (path: string, headers: Record<string, string> = {}): RequestHead => ({
  method: 'GET',
  path,
  authority: 'reviews:9080',
  scheme: 'http',
  header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
});

function planOf(route: JsonValue, path = '/', rest: Record<string, JsonValue> = {}): RoutePlan {
  const made = table({ name: 't', virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route], ...rest }] });
  const plan = made.table.virtualHost('reviews')?.match(head(path), () => 0.5);
  expect(made.report.faults).toEqual([]);
  return plan!;
}

const forward = (route: Record<string, JsonValue>, rest: Record<string, JsonValue> = {}, path = '/') =>
  planOf({ match: { prefix: '/' }, route: { cluster: 'c', ...route } }, path, rest).action as ForwardAction;

describe('virtual host choice', () => {
  it('goes exact, longest suffix, longest prefix, any; without case', () => {
    const report = new CompileReport('t');
    const index = new DomainIndex([['a.b.c'], ['*.b.c'], ['*.c', '*-x.c'], ['a.*'], ['a.b.*'], ['*']], false, report);
    expect(report.faults).toEqual([]);
    expect(['A.B.C', 'z.b.c', 'q.c', 'q-x.c', 'a.q', 'a.b.q', 'zz', '.b.c'].map((host) => index.find(host))).toEqual([
      0, 1, 2, 2, 3, 4, 5, 2,
    ]);
  });

  it('ignores the port where the table says so, of IPv6 hosts too', () => {
    const index = new DomainIndex([['reviews'], ['[::1]']], true, new CompileReport('t'));
    expect(index.find('reviews:9080')).toBe(0);
    expect(index.find('[::1]:9080')).toBe(1);
    expect(index.find('[::1]')).toBe(1);
    expect(new DomainIndex([['reviews']], false, new CompileReport('t')).find('reviews:9080')).toBeUndefined();
  });

  it('refuses a domain that two virtual hosts claim', () => {
    const report = new CompileReport('t');
    new DomainIndex([['a', '*'], ['A'], ['*']], false, report);
    expect(report.faults).toEqual([
      'virtual_hosts[1].domains[0]: duplicate domain "A"',
      'virtual_hosts[2].domains[0]: duplicate domain "*"',
    ]);
  });

  it('knows no prototype as a host', () => {
    fc.assert(
      fc.property(fc.constantFrom('__proto__', 'constructor', 'toString'), (name) => {
        expect(new DomainIndex([['a']], false, new CompileReport('t')).find(name)).toBeUndefined();
      }),
    );
  });
});

describe('timeouts and retries', () => {
  it('times out after 15 s unless the route says otherwise; 0 is never', () => {
    expect(forward({}).timeoutMs).toBe(15_000);
    expect(forward({ timeout: '0s' }).timeoutMs).toBe(0);
    expect(forward({ timeout: '1.5s' }).timeoutMs).toBe(1500);
    expect(forward({ max_stream_duration: { max_stream_duration: '3s' } }).timeoutMs).toBe(3000);
    expect(forward({ timeout: '5s', max_stream_duration: { max_stream_duration: '3s' } }).timeoutMs).toBe(3000);
    expect(forward({ timeout: '5s', max_stream_duration: { grpc_timeout_header_max: '0s' } }).timeoutMs).toBe(5000);
  });

  it("reads istiod's default policy", () => {
    const { retry } = forward({
      retry_policy: {
        retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,503',
        num_retries: 2,
        retry_host_predicate: [{ name: 'envoy.retry_host_predicates.previous_hosts' }],
        host_selection_retry_max_attempts: '5',
        retriable_status_codes: [504, 502],
      },
    });
    expect(retry).toMatchObject({
      numRetries: 2,
      avoidPreviousHosts: true,
      hostSelectionAttempts: 5,
      backOffBaseMs: 25,
      backOffMaxMs: 250,
    });
    expect(retry?.conditions).toMatchObject({
      connectFailure: true,
      refusedStream: true,
      on5xx: false,
      statusCodes: [502, 503, 504],
      grpcCodes: [1, 14],
    });
  });

  it("takes the virtual host's policy where the route has none, and none where nothing is retried", () => {
    const vhost = { retry_policy: { retry_on: '5xx' } };
    expect(forward({}, vhost).retry?.conditions.on5xx).toBe(true);
    expect(forward({ retry_policy: { retry_on: 'reset', num_retries: 3 } }, vhost).retry).toMatchObject({
      numRetries: 3,
    });
    expect(forward({ retry_policy: { num_retries: 3 } }, vhost).retry).toBeUndefined();
  });
});

describe('headers', () => {
  const context: FormatContext = {
    head: head('/p?q', { 'x-user': 'jason' }),
    responseHeader: undefined,
    upstreamAddress: '10.0.0.1:80',
    upstreamCluster: 'c',
    downstreamAddress: '127.0.0.1:5',
    wallMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  };
  const add = (key: string, value: string, action?: string) => ({
    header: { key, value },
    ...(action === undefined ? {} : { append_action: action }),
  });

  it('apply from route to table, and a later removal takes back an earlier addition', () => {
    const made = table({
      name: 't',
      request_headers_to_add: [add('x-c', 'table')],
      virtual_hosts: [
        {
          name: 'v',
          domains: ['*'],
          request_headers_to_remove: ['x-a'],
          request_headers_to_add: [add('X-B', 'vhost', 'OVERWRITE_IF_EXISTS_OR_ADD')],
          routes: [
            {
              match: { prefix: '/' },
              route: { cluster: 'c' },
              request_headers_to_add: [
                add('x-a', 'route'),
                add('x-b', '%REQ(x-user?:path):3%-%START_TIME(%Y/%m/%dT%H:%M:%E3S)%'),
              ],
            },
          ],
        },
      ],
    });
    const operations = made.table.virtualHost('a')?.match(head('/'), () => 0)?.requestHeaders;
    expect(operations?.remove).toEqual(['x-a']);
    const shown = operations?.set.map(({ name, mode, value }) => [
      name,
      mode,
      typeof value === 'string' ? value : value(context),
    ]);
    expect(shown).toEqual([
      ['x-b', 'append', 'jas-2026/01/02T03:04:05.006'],
      ['x-b', 'overwrite', 'vhost'],
      ['x-c', 'append', 'table'],
    ]);
  });

  it('refuse pseudo headers, malformed formats and unknown operators, all at once', () => {
    const made = table({
      name: 't',
      virtual_hosts: [
        {
          name: 'v',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/' },
              route: { cluster: 'c' },
              request_headers_to_add: [add(':path', 'x'), add('a', '%NOPE%'), add('b', '%REQ(')],
              request_headers_to_remove: ['Host'],
            },
          ],
        },
      ],
    });
    check(made);
    expect(made.report.faults.map((fault) => fault.split(': ')[0])).toEqual([
      'virtual_hosts[0].routes[0].request_headers_to_remove[0]',
      'virtual_hosts[0].routes[0].request_headers_to_add[0].header.key',
      'virtual_hosts[0].routes[0].request_headers_to_add[1].header.value',
      'virtual_hosts[0].routes[0].request_headers_to_add[2].header.value',
    ]);
  });
});

describe('actions', () => {
  it('split by cumulative weights', () => {
    const { clusters } = forward({}, {}, '/');
    expect(clusters.totalWeight).toBe(1);
    const weighted = planOf({
      match: { prefix: '/' },
      route: {
        weighted_clusters: {
          clusters: [
            { name: 'v1', weight: 95 },
            { name: 'v2', weight: 5 },
          ],
        },
      },
    }).action as ForwardAction;
    expect(weighted.clusters.entries.map(({ name, cumulativeWeight }) => [name, cumulativeWeight])).toEqual([
      ['v1', 95],
      ['v2', 100],
    ]);
  });

  it.each<[JsonValue, RegExp]>([
    [
      { match: { prefix: '/' }, route: { weighted_clusters: { clusters: [{ name: 'a', weight: 0 }] } } },
      /weights add up to 0/,
    ],
    [
      {
        match: { prefix: '/' },
        route: {
          cluster: 'a',
          retry_policy: { retry_on: '5xx', retry_back_off: { base_interval: '2s', max_interval: '1s' } },
        },
      },
      /max_interval: must be greater/,
    ],
    [{ match: { safe_regex: { regex: '(' } }, route: { cluster: 'a' } }, /match: regex/],
    [{ match: { prefix: '/' } }, /action: is required/],
    [
      { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'x'.repeat(4097) } } },
      /is 4097 bytes; maximum is 4096/,
    ],
    [
      {
        match: { prefix: '/' },
        route: { cluster: 'a', regex_rewrite: { pattern: { regex: '(a)' }, substitution: '\\2' } },
      },
      /regex_rewrite/,
    ],
  ])('are refused when they make no sense: %#', (route, reason) => {
    const made = table({ name: 't', virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route] }] });
    check(made);
    expect(made.report.refusal).toMatch(reason);
  });

  it('hash headers, cookies and parameters as Envoy combines them', () => {
    const { hash } = forward({
      hash_policy: [
        { header: { header_name: 'x-user' } },
        { cookie: { name: 'sid' } },
        { query_parameter: { name: 'id' } },
      ],
    });
    const one = hash?.(head('/?id=1', { 'x-user': 'a', cookie: 'b=2; sid="7"' }));
    expect(one).toBe(hash?.(head('/z?id=1', { 'x-user': 'a', cookie: 'sid=7' })));
    expect(one).not.toBe(hash?.(head('/?id=2', { 'x-user': 'a', cookie: 'sid=7' })));
    // xxHash64 of "a" with seed 0.
    expect(hash?.(head('/', { 'x-user': 'a' }))).toBe(0xd24ec4f1a98c6e5bn);
    expect(hash?.(head('/'))).toBeUndefined();
  });

  it('answer 500 instead of guessing when a faulty route got past the checks', () => {
    const made = table({
      name: 't',
      virtual_hosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: {} }] }],
    });
    expect(made.table.virtualHost('a')?.match(head('/'), () => 0)?.action).toMatchObject({
      kind: 'direct-response',
      status: 500,
    });
  });
});

describe('explain', () => {
  it('says of every route tried which field did not fit, what was expected and what came', () => {
    const made = table({
      name: 't',
      virtual_hosts: [
        {
          name: 'v',
          domains: ['*'],
          routes: [
            {
              name: 'jason',
              match: { prefix: '/', headers: [{ name: 'end-user', string_match: { exact: 'jason' } }] },
              route: { cluster: 'v2' },
            },
            { name: 'exact', match: { path: '/x' }, route: { cluster: 'v3' } },
            { name: 'rest', match: { prefix: '/' }, route: { cluster: 'v1' } },
          ],
        },
      ],
    });
    const { plan, steps } = made.table.virtualHost('a')!.explain(head('/y?q'), () => 0);
    expect(plan?.routeName).toBe('rest');
    expect(steps.map(({ subject, verdict, reason }) => [subject, verdict, reason])).toEqual([
      ['jason', 'rejected', 'header end-user: expected exact "jason", came nothing'],
      ['exact', 'rejected', 'path: expected path "/x", came "/y"'],
      ['rest', 'chosen', 'the first route that takes it: prefix "/"'],
    ]);
  });

  it('names the Istio object that a route came from', () => {
    const plan = planOf({
      match: { prefix: '/' },
      route: { cluster: 'c' },
      metadata: {
        filter_metadata: {
          istio: { config: '/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews' },
        },
      },
    });
    expect(plan.sourceObject).toBe('virtual-service default/reviews');
  });
});
