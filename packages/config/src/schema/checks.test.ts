import { describe, expect, it } from 'vitest';
import { runCheck } from './checks.js';

const problems = (name: string, value: unknown, ...args: string[]) =>
  runCheck(name, args, value).map(({ args: { problem, expected }, at }) =>
    [...(at ?? []), problem ?? expected].join(' '),
  );

/** check, arguments, a value that passes, a value that fails, and what is said. */
const cases: readonly [string, readonly string[], unknown, unknown, string][] = [
  ['duration', [], '1h30m', '10', 'a duration like 10s'],
  ['duration', [], '1ms', '0.5ms', 'a duration of at least 1ms'],
  ['gatewayDuration', [], '0s', '1.5s', 'a duration like 10s, 500ms or 1m30s'],
  [
    'onlyForType',
    ['cors', 'CORS'],
    { type: 'CORS', cors: {} },
    { type: 'URLRewrite', cors: {} },
    'cors cors is only allowed with type CORS',
  ],
  ['neededForType', ['cors', 'CORS'], { type: 'URLRewrite' }, { type: 'CORS' }, 'type CORS needs cors'],
  [
    'filterNotRepeated',
    ['CORS'],
    [{ type: 'CORS' }],
    [{ type: 'CORS' }, { type: 'CORS' }],
    'the filter CORS may occur only once',
  ],
  ['exactlyOneOf', ['wasm', 'lua'], { lua: {} }, {}, 'exactly one of wasm, lua is needed'],
  ['gatewayPath', [], { type: 'RegularExpression', value: 'a//' }, { value: 'a' }, 'value a path starts with /'],
  ['gatewayPath', [], { value: '/a%20b' }, { value: '/a//b' }, 'value a path cannot contain //'],
  ['gatewayPath', [], {}, { value: '/a/..' }, 'value a path cannot end in a dot segment'],
  [
    'gatewayPath',
    [],
    { value: '/' },
    { value: '/ä' },
    'value the path holds characters that have to be percent-encoded',
  ],
  ['starAlone', [], ['*'], ['*', 'a'], '`*` has to stand alone'],
  [
    'prefixRewriteNeedsPrefixMatch',
    [],
    { filters: [{ urlRewrite: { path: { replacePrefixMatch: '/' } } }] },
    { filters: [{ urlRewrite: { path: { replacePrefixMatch: '/' } } }], matches: [{ path: { type: 'Exact' } }] },
    'replacePrefixMatch needs exactly one match, of type PathPrefix',
  ],
  ['notStar', [], '*.example.com', '*', 'the bare wildcard `*` is not allowed here'],
  ['noWildcard', [], 'v1', 'v*', 'wildcards are not allowed in labels'],
  ['keysWithoutWildcard', [], { a: '' }, { 'a*': '' }, 'wildcards are not allowed in labels'],
  ['keysNotEmpty', [], { a: '' }, { '': '' }, 'a label needs a name'],
  ['keysArePorts', [], { 80: {} }, { 65536: {} }, '65536 a port is a number from 1 to 65535'],
  ['mustBeEmpty', [], '', 'prod', 'references across namespaces are not possible'],
  ['httpUrl', [], 'https://a/b', 'ftp://a', 'expected a URL that starts with http:// or https://'],
  ['addressOrNetwork', [], { network: 'n' }, {}, 'an address is required'],
  ['unixAddress', [], 'unix:///run/a.sock', 'unix://run', 'expected an absolute socket path'],
  ['portNumbersUnique', [], [{ number: 1 }, { number: 2 }], [{ number: 1 }, { number: 1 }], '1 port 1 is given twice'],
  [
    'endpointsFitResolution',
    [],
    { resolution: 'STATIC', endpoints: [] },
    { endpoints: [] },
    'endpoints endpoints need a resolution other than NONE',
  ],
  [
    'endpointsFitResolution',
    [],
    { addresses: ['10.0.0.0/8'] },
    { addresses: ['10.0.0.0/8'], resolution: 'DNS' },
    'addresses 0 a CIDR needs resolution NONE or STATIC',
  ],
  [
    'endpointsFitResolution',
    [],
    { resolution: 'DNS', endpoints: [1, 2] },
    { resolution: 'DNS_ROUND_ROBIN', endpoints: [1, 2] },
    'endpoints DNS_ROUND_ROBIN takes one endpoint',
  ],
  [
    'serviceAccountsAlone',
    [],
    { serviceAccounts: [] },
    { serviceAccounts: [], namespaces: [] },
    'serviceAccounts cannot be combined with namespaces',
  ],
  [
    'portLevelNeedsSelector',
    [],
    { portLevelMtls: {}, selector: { matchLabels: { a: 'b' } } },
    { portLevelMtls: {} },
    'portLevelMtls ',
  ],
  ['tagOverrideValue', [], { operation: 'UPSERT', value: 'a' }, { operation: 'UPSERT' }, 'UPSERT needs a value'],
  ['tagOverrideValue', [], { operation: 'REMOVE' }, { operation: 'REMOVE', value: 'a' }, 'value REMOVE takes no value'],
  [
    'waypointMatch',
    [],
    { context: 'WAYPOINT', waypoint: {} },
    { waypoint: {} },
    'waypoint goes with context WAYPOINT and with no other',
  ],
  ['grpcMethodMatch', [], { type: 'Exact', service: 's' }, { type: 'Exact' }, 'service or method is needed'],
  [
    'backendRequestWithinRequest',
    [],
    { request: '0s', backendRequest: '5s' },
    { request: '4s', backendRequest: '5s' },
    'backendRequest backendRequest cannot be longer than request',
  ],
  [
    'redirectWithoutBackends',
    [],
    { filters: [{ requestRedirect: {} }] },
    { filters: [{ requestRedirect: {} }], backendRefs: [{}] },
    'a RequestRedirect filter cannot be combined with backendRefs',
  ],
  [
    'redirectOrRewrite',
    [],
    [{ type: 'URLRewrite' }],
    [{ type: 'URLRewrite' }, { type: 'RequestRedirect' }],
    'only one of RequestRedirect and URLRewrite is possible',
  ],
  ['serviceNeedsPort', [], { kind: 'Other', group: 'x' }, { name: 'a' }, 'a Service needs a port'],
  [
    'fractionAtMostOne',
    [],
    { numerator: 100 },
    { numerator: 11, denominator: 10 },
    'numerator cannot exceed denominator',
  ],
];

describe('rules of the CRDs', () => {
  for (const [name, args, good, bad, said] of cases) {
    it(`${name} refuses ${JSON.stringify(bad)}`, () => {
      expect(problems(name, good, ...args)).toEqual([]);
      expect(problems(name, bad, ...args)).toContain(said);
    });
  }
});
