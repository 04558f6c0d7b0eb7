// One suite over all HTTP filter kinds: what every filter must do with an absent, foreign, broken, disabled or overridden configuration.
import { type Any, AnySchema, type DescMessage, type JsonValue, create, fromJson, packAny } from '@heddle/xds';
import {
  CORS_POLICY_TYPE_URL,
  CORS_TYPE_URL,
  CorsPolicySchema,
  CorsSchema,
  FAULT_TYPE_URL,
  HTTPFaultSchema,
  HttpRbacPerRouteSchema,
  HttpRbacSchema,
  JWT_AUTHN_TYPE_URL,
  JwtAuthenticationSchema,
  LOCAL_RATE_LIMIT_TYPE_URL,
  LocalRateLimitSchema,
  RBAC_PER_ROUTE_TYPE_URL,
  RBAC_TYPE_URL,
} from '@heddle/xds';
import { describe, expect, test } from 'vitest';
import { MeshError } from '../errors.js';
import { filterContext, filterRequest } from '../testing/filter-requests.js';
import { filterBuild } from '../testing/inbound-fixtures.js';
import type { FilterAction, FilterKind } from './http-filter.js';
import { httpFilterKinds } from './registry.js';

interface FilterCase {
  readonly typeUrl: string;
  readonly schema: DescMessage;
  /** A configuration that acts on every request. */
  readonly acting: JsonValue | undefined;
  readonly override: {
    readonly typeUrl: string;
    readonly schema: DescMessage;
    readonly acting: JsonValue;
    readonly off: JsonValue;
  };
}

const denyAll = { action: 'DENY', policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } } };
const abortAll = { abort: { httpStatus: 503, percentage: { numerator: 100 } } };
const bucket = {
  statPrefix: 's',
  tokenBucket: { maxTokens: 1, fillInterval: '60s' },
  enableXRatelimitHeaders: 'DRAFT_VERSION_03',
};
const cors = { allowOriginStringMatch: [{ exact: 'https://shop' }] };

const cases: readonly FilterCase[] = [
  {
    typeUrl: FAULT_TYPE_URL,
    schema: HTTPFaultSchema,
    acting: abortAll,
    override: { typeUrl: FAULT_TYPE_URL, schema: HTTPFaultSchema, acting: abortAll, off: {} },
  },
  {
    typeUrl: RBAC_TYPE_URL,
    schema: HttpRbacSchema,
    acting: { rules: denyAll },
    override: {
      typeUrl: RBAC_PER_ROUTE_TYPE_URL,
      schema: HttpRbacPerRouteSchema,
      acting: { rbac: { rules: denyAll } },
      off: {},
    },
  },
  {
    typeUrl: LOCAL_RATE_LIMIT_TYPE_URL,
    schema: LocalRateLimitSchema,
    acting: bucket,
    override: {
      typeUrl: LOCAL_RATE_LIMIT_TYPE_URL,
      schema: LocalRateLimitSchema,
      acting: bucket,
      off: { statPrefix: 's' },
    },
  },
  {
    typeUrl: CORS_TYPE_URL,
    schema: CorsSchema,
    // CORS acts by the route's policy only.
    acting: undefined,
    override: { typeUrl: CORS_POLICY_TYPE_URL, schema: CorsPolicySchema, acting: cors, off: {} },
  },
];

const pack = (schema: DescMessage, json: JsonValue): Any => packAny(schema, fromJson(schema, json) as never);
const request = filterRequest({ headers: { origin: 'https://shop' } });

function kindOf(typeUrl: string): FilterKind {
  const kind = httpFilterKinds.find((one) => one.typeUrl === typeUrl);
  if (kind === undefined) throw new Error(`${typeUrl} is not registered`);
  return kind;
}

function act(kind: FilterKind, config: Any | undefined, override?: Any): FilterAction | undefined {
  return kind.compile(config, override, filterBuild())?.decide(request, filterContext());
}

describe.each(cases.map((one) => [one.typeUrl.split('.').at(-1) ?? '', one] as const))('%s', (_, one) => {
  const kind = kindOf(one.typeUrl);
  const empty = pack(one.schema, {});

  test('does nothing without a configuration, or with an empty one', () => {
    expect(act(kind, undefined)).toBeUndefined();
    expect(act(kind, create(AnySchema, {}))).toBeUndefined();
    expect(act(kind, empty)).toBeUndefined();
  });

  test('acts where it is configured to', () => {
    if (one.acting !== undefined) expect(act(kind, pack(one.schema, one.acting))).toBeDefined();
    expect(act(kind, empty, pack(one.override.schema, one.override.acting))).toBeDefined();
  });

  test('is switched off by the override of a route', () => {
    const config = pack(one.schema, one.acting ?? {});
    expect(kind.perRouteTypeUrls).toContain(one.override.typeUrl);
    expect(act(kind, config, pack(one.override.schema, one.override.off))).toBeUndefined();
  });

  test('refuses bytes that are not its configuration', () => {
    const override = one.acting === undefined;
    const broken = create(AnySchema, {
      typeUrl: override ? one.override.typeUrl : one.typeUrl,
      value: new Uint8Array([0xff, 0xff]),
    });
    expect(() => act(kind, override ? empty : broken, override ? broken : undefined)).toThrow(MeshError);
  });

  test('refuses the configuration of another filter, naming both', () => {
    const foreign = create(AnySchema, { typeUrl: 'type.googleapis.com/envoy.Other' });
    const compile = () => (one.acting === undefined ? act(kind, empty, foreign) : act(kind, foreign));
    expect(compile).toThrow(/filter: expected .* got .*envoy\.Other/);
  });

  test('explains itself without changing anything', () => {
    const filter = kind.compile(
      pack(one.schema, one.acting ?? {}),
      pack(one.override.schema, one.override.acting),
      filterBuild(),
    );
    const before = filter?.explain(request);
    expect(before?.reason).not.toBe('');
    expect(filter?.explain(request)).toEqual(before);
    expect(filter?.decide(request, filterContext())).toBeDefined();
  });
});

test('a chain that asks for tokens is refused, never served without them', () => {
  const jwt = {
    providers: { p: { issuer: 'i' } },
    rules: [{ match: { prefix: '/' }, requires: { providerName: 'p' } }],
  };
  expect(() => act(kindOf(JWT_AUTHN_TYPE_URL), pack(JwtAuthenticationSchema, jwt))).toThrow(/JWT authentication/);
  expect(act(kindOf(JWT_AUTHN_TYPE_URL), pack(JwtAuthenticationSchema, {}))).toBeUndefined();
});

test('no two kinds share a type URL, and those that protect say so', () => {
  const urls = httpFilterKinds.map(({ typeUrl }) => typeUrl);
  expect(new Set(urls).size).toBe(urls.length);
  expect(httpFilterKinds.filter(({ security }) => security).map(({ typeUrl }) => typeUrl)).toEqual([
    JWT_AUTHN_TYPE_URL,
    RBAC_TYPE_URL,
  ]);
});
