import {
  HttpRbacPerRouteSchema,
  HttpRbacSchema,
  type JsonObject,
  type JsonValue,
  NetworkRbacSchema,
  fromJson,
  packAny,
} from '@heddle/xds';
import { describe, expect, test } from 'vitest';
import { type FilterRequestChanges, filterContext, filterRequest } from '../testing/filter-requests.js';
import { filterBuild } from '../testing/inbound-fixtures.js';
import type { FilterAction, HttpFilter } from './http-filter.js';
import { rbacFilterKind } from './rbac-filter.js';
import { rbacNetworkFilterKind } from './rbac-network-filter.js';

const any = [{ any: true }];
const gateway = 'spiffe://cluster.local/ns/production/sa/api-gateway';

function policy(permission: JsonValue, principal: JsonValue = { any: true }): JsonObject {
  return { permissions: [permission], principals: [principal] };
}

function compile(json: JsonValue): HttpFilter | undefined {
  return rbacFilterKind.compile(packAny(HttpRbacSchema, fromJson(HttpRbacSchema, json)), undefined, filterBuild());
}

function decide(json: JsonValue, request: FilterRequestChanges = {}): FilterAction | undefined {
  return compile(json)?.decide(filterRequest(request), filterContext());
}

const denied = (action: FilterAction | undefined): boolean => action?.kind === 'reply' && action.status === 403;

describe('the caller’s identity', () => {
  // The two shapes in which istiod names a principal.
  test.each([
    ['authenticated', { authenticated: { principalName: { exact: gateway } } }],
    ['filter state', { filterState: { key: 'io.istio.peer_principal', stringMatch: { exact: gateway } } }],
  ])('as %s lets the named one in and nobody else', (_, principal) => {
    const rules = { rules: { policies: { p: policy({ any: true }, principal) } } };
    expect(decide(rules, { peerPrincipal: gateway })).toBeUndefined();
    expect(denied(decide(rules, { peerPrincipal: `${gateway}2` }))).toBe(true);
    expect(denied(decide(rules))).toBe(true);
  });

  test('by namespace matches the whole id only', () => {
    const principal = {
      filterState: { key: 'io.istio.peer_principal', stringMatch: { safeRegex: { regex: '.*/ns/production/.*' } } },
    };
    const rules = { rules: { policies: { p: policy({ any: true }, principal) } } };
    expect(decide(rules, { peerPrincipal: gateway })).toBeUndefined();
    expect(denied(decide(rules, { peerPrincipal: 'spiffe://cluster.local/ns/production2/sa/a' }))).toBe(true);
  });
});

describe('a refusal', () => {
  test('is Envoy’s 403 with the name of the policy, spaces replaced', () => {
    const rules = { rules: { action: 'DENY', policies: { 'no one': policy({ any: true }) } } };
    expect(decide(rules)).toMatchObject({
      status: 403,
      grpcStatus: 7,
      body: 'RBAC: access denied',
      flag: '-',
      details: 'rbac_access_denied_matched_policy[no_one]',
      policy: 'no one',
    });
  });

  test('by an ALLOW policy that matches nothing names none, and an empty one allows nobody', () => {
    expect(decide({ rules: {} })).toMatchObject({ details: 'rbac_access_denied_matched_policy[none]' });
  });

  test('is explained with the policy that decided', () => {
    const rules = { rules: { action: 'DENY', policies: { b: policy({ any: true }), a: policy({ any: true }) } } };
    expect(compile(rules)?.explain(filterRequest())).toEqual({
      verdict: 'rejected',
      reason: 'policy a denies the request',
      policy: 'a',
    });
  });
});

describe('policies that only report', () => {
  test('LOG never blocks and marks what matched', () => {
    const rules = { rules: { action: 'LOG', policies: { p: policy({ urlPath: { path: { exact: '/a' } } }) } } };
    const hint = (action: FilterAction | undefined) => action?.kind === 'amend' && action.dynamicMetadata;
    expect(hint(decide(rules, { path: '/a' }))).toEqual({ 'envoy.common': { access_log_hint: true } });
    expect(hint(decide(rules, { path: '/b' }))).toEqual({ 'envoy.common': { access_log_hint: false } });
  });

  test('shadow rules tell what they would have done', () => {
    const shadow = { shadowRules: { policies: {} }, shadowRulesStatPrefix: 'istio_dry_run_allow_' };
    expect(decide(shadow)).toMatchObject({
      kind: 'amend',
      dynamicMetadata: { 'envoy.filters.http.rbac': { istio_dry_run_allow_shadow_engine_result: 'denied' } },
    });
  });

  test('shadow rules don’t soften enforced ones', () => {
    expect(denied(decide({ rules: {}, shadowRules: { policies: { p: policy({ any: true }) } } }))).toBe(true);
  });
});

describe('what can’t be enforced refuses the whole configuration', () => {
  const within = (permission: JsonValue, principal?: JsonValue) => ({
    rules: { policies: { p: policy(permission, principal) } },
  });
  test.each([
    [
      'a CEL condition',
      { rules: { policies: { p: { ...policy({ any: true }), condition: { constExpr: { boolValue: true } } } } } },
      /condition/,
    ],
    ['a matcher extension', within({ matcher: { name: 'x' } }), /matcher/],
    ['an unknown principal extension', within({ any: true }, { custom: { name: 'x' } }), /custom/],
    [
      'unknown filter state',
      within({ any: true }, { filterState: { key: 'other', stringMatch: { exact: 'a' } } }),
      /other/,
    ],
    [
      'route metadata',
      within({
        sourcedMetadata: {
          metadataSource: 'ROUTE',
          metadataMatcher: { filter: 'f', path: [{ key: 'k' }], value: { presentMatch: true } },
        },
      }),
      /ROUTE/,
    ],
    ['a regex outside RE2', within({ urlPath: { path: { safeRegex: { regex: '(?=a)' } } } }), /safe_regex|regex/],
    ['the generic matcher', { matcher: {} }, /matcher/],
  ])('%s', (_, json, message) => {
    expect(() => compile(json)).toThrow(message);
  });

  test('the message leads to the field', () => {
    const json = within({
      andRules: { rules: [{ any: true }, { notRule: { destinationIp: { addressPrefix: 'x' } } }] },
    });
    expect(() => compile(json)).toThrow(
      /^rules: policies\["p"\]: permissions\[0\]: and_rules\.rules\[1\]: not_rule: destination_ip: /,
    );
  });
});

describe('repeated headers', () => {
  const role = (value: string): JsonValue => ({ header: { name: 'role', stringMatch: { exact: value } } });
  const headers = (value: string): FilterRequestChanges => ({ headers: { role: value } });

  test('one forbidden value among several is enough for DENY', () => {
    const rules = { rules: { action: 'DENY', policies: { p: policy(role('admin')) } } };
    for (const value of ['admin', 'user,admin', 'admin,user', 'user, admin '])
      expect(denied(decide(rules, headers(value)))).toBe(true);
    expect(decide(rules, headers('user,guest'))).toBeUndefined();
  });

  test('one excluded value among several is enough for ALLOW with `not`', () => {
    const rules = { rules: { policies: { p: policy({ notRule: role('guest') }) } } };
    expect(denied(decide(rules, headers('admin,guest')))).toBe(true);
    expect(decide(rules, headers('admin,user'))).toBeUndefined();
  });

  test('one allowed value among several is not enough for ALLOW', () => {
    const rules = { rules: { policies: { p: policy(role('admin')) } } };
    expect(denied(decide(rules, headers('guest,admin')))).toBe(true);
    expect(decide(rules, headers('admin'))).toBeUndefined();
  });
});

test('a route’s override replaces the policy, and an empty one switches it off', () => {
  const config = packAny(HttpRbacSchema, fromJson(HttpRbacSchema, { rules: {} }));
  const override = (json: JsonValue) => packAny(HttpRbacPerRouteSchema, fromJson(HttpRbacPerRouteSchema, json));
  expect(rbacFilterKind.compile(config, override({}), filterBuild())).toBeUndefined();
  const open = override({ rbac: { rules: { policies: { p: { permissions: any, principals: any } } } } });
  expect(rbacFilterKind.compile(config, open, filterBuild())?.decide(filterRequest(), filterContext())).toBeUndefined();
});

test('claims that an earlier filter left decide', () => {
  const principal = {
    metadata: {
      filter: 'envoy.filters.http.jwt_authn',
      path: [{ key: 'payload' }, { key: 'groups' }],
      value: { listMatch: { oneOf: { stringMatch: { exact: 'admins' } } } },
    },
  };
  const rules = { rules: { policies: { p: policy({ any: true }, principal) } } };
  const claims = (groups: unknown) => ({
    dynamicMetadata: { 'envoy.filters.http.jwt_authn': { payload: { groups } } },
  });
  expect(decide(rules, claims(['users', 'admins']))).toBeUndefined();
  expect(denied(decide(rules, claims(['users'])))).toBe(true);
  expect(denied(decide(rules, claims('admins')))).toBe(true);
  expect(denied(decide(rules))).toBe(true);
});

describe('on connections', () => {
  const connection = {
    peerPrincipal: gateway,
    sourceIp: '10.0.0.7',
    sourcePort: 40_000,
    destinationIp: '10.0.0.8',
    destinationPort: 9000,
    serverName: '',
  };
  const filterOf = (rules: JsonObject) =>
    rbacNetworkFilterKind.compile(
      packAny(NetworkRbacSchema, fromJson(NetworkRbacSchema, { statPrefix: 's', rules })),
      filterBuild(),
    );

  test('identity and port decide', () => {
    const filter = filterOf({
      policies: { p: policy({ destinationPort: 9000 }, { authenticated: { principalName: { exact: gateway } } }) },
    });
    expect(filter?.decide(connection)).toEqual({ allow: true, details: '' });
    const details = 'rbac_access_denied_matched_policy[none]';
    expect(filter?.decide({ ...connection, destinationPort: 9001 })).toEqual({ allow: false, details });
    expect(filter?.decide({ ...connection, peerPrincipal: undefined })).toEqual({ allow: false, details });
  });

  test('rules about paths and headers match nothing, so ALLOW by path lets no connection in', () => {
    const path = { urlPath: { path: { safeRegex: { regex: '.*' } } } };
    expect(filterOf({ policies: { p: policy(path) } })?.decide(connection).allow).toBe(false);
  });
});
