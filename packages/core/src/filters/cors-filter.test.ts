import { CorsPolicySchema, CorsSchema, type JsonObject, fromJson, packAny } from '@heddle/xds';
import { expect, test } from 'vitest';
import { type FilterRequestChanges, filterContext, filterRequest } from '../testing/filter-requests.js';
import { filterBuild } from '../testing/inbound-fixtures.js';
import { corsFilterKind } from './cors-filter.js';
import type { FilterAction } from './http-filter.js';

const shop = {
  allowOriginStringMatch: [{ exact: 'https://shop' }, { suffix: '.shop' }],
  allowMethods: 'GET,POST',
  allowHeaders: 'x-a',
  exposeHeaders: 'x-b',
  maxAge: '60',
  allowCredentials: true,
};

function decide(request: FilterRequestChanges, changes: JsonObject = {}): FilterAction | undefined {
  const override = packAny(CorsPolicySchema, fromJson(CorsPolicySchema, { ...shop, ...changes }));
  const filter = corsFilterKind.compile(packAny(CorsSchema, {}), override, filterBuild());
  return filter?.decide(filterRequest(request), filterContext());
}

const preflight = (origin: string): FilterRequestChanges => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'POST' },
});

test('a preflight of an allowed origin is answered with what it may do', () => {
  const action = decide(preflight('https://shop'));
  expect(action).toMatchObject({ kind: 'reply', status: 200, body: '' });
  expect(Object.fromEntries(action?.kind === 'reply' ? action.headers : [])).toEqual({
    'access-control-allow-origin': 'https://shop',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET,POST',
    'access-control-allow-headers': 'x-a',
    'access-control-max-age': '60',
  });
});

test('a request of an allowed origin goes on and its response is marked', () => {
  expect(decide({ headers: { origin: 'https://www.shop' } })).toMatchObject({
    kind: 'amend',
    setResponseHeaders: [
      ['access-control-allow-origin', 'https://www.shop'],
      ['access-control-allow-credentials', 'true'],
      ['access-control-expose-headers', 'x-b'],
    ],
  });
});

test('another origin, or none, goes on unmarked; a preflight of one can be answered without grants', () => {
  expect(decide({ headers: { origin: 'https://evil' } })).toBeUndefined();
  expect(decide({})).toBeUndefined();
  expect(decide(preflight('https://evil'))).toBeUndefined();
  expect(decide(preflight('https://evil'), { forwardNotMatchingPreflights: false })).toMatchObject({
    status: 200,
    headers: [],
  });
});

test('OPTIONS that is no preflight reaches the application', () => {
  expect(decide({ method: 'OPTIONS', headers: { origin: 'https://shop' } })).toMatchObject({ kind: 'amend' });
});

test('private network access is granted only where asked for and allowed', () => {
  const asking: FilterRequestChanges = {
    method: 'OPTIONS',
    headers: { ...preflight('https://shop').headers, 'access-control-request-private-network': 'true' },
  };
  const granted = (action: FilterAction | undefined) =>
    action?.kind === 'reply' && action.headers.some(([name]) => name === 'access-control-allow-private-network');
  expect(granted(decide(asking))).toBe(false);
  expect(granted(decide(asking, { allowPrivateNetworkAccess: true }))).toBe(true);
});
