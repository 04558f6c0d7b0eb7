// AuthorizationPolicy -> RBAC against the pairs that Istio tests itself with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpRbacSchema, type JsonObject, type JsonValue, NetworkRbacSchema, toJson, unpackAny } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { corpus } from '../../../../../test/support/config/corpora.js';
import { loadText } from '../../load/load.js';
import { httpPolicyFilters, networkPolicyFilters } from './policy-filters.js';

interface Case {
  readonly name: string;
  readonly protocol: 'http' | 'tcp';
  readonly input: string;
  readonly expected: readonly string[];
  readonly custom_builder: boolean;
  readonly trust_domain?: string;
  readonly trust_domain_aliases?: readonly string[];
}

const folder = corpus('istio-authz');
const read = (...path: string[]) => readFileSync(join(folder ?? '', ...path), 'utf8');
const cases = folder === undefined ? [] : (JSON.parse(read('index.json')) as { cases: Case[] }).cases;
const translatable = cases.filter((testCase) => !testCase.custom_builder);

describe.skipIf(folder === undefined)('RBAC as istiod makes it (needs the corpus istio-authz)', () => {
  it('has cases to check', () => expect(translatable.length).toBeGreaterThan(20));

  for (const testCase of translatable) {
    it(testCase.name, () => {
      const golden = testCase.expected.map((file) => goldenRbac(read(testCase.protocol, file)));
      expect(made(testCase)).toEqual(golden);
    });
  }
});

describe.skipIf(folder === undefined)('CUSTOM without an authorizer (needs the corpus istio-authz)', () => {
  for (const testCase of cases.filter(({ custom_builder: custom, protocol }) => custom && protocol === 'http')) {
    it(`${testCase.name}: what the authorizer would decide is denied`, () => {
      const [rbac] = made(testCase) as [JsonObject];
      const rules = rbac['rules'] as JsonObject;
      expect(rules['action']).toBe('DENY');
      const names = Object.keys(rules['policies'] as JsonObject);
      expect(names.length).toBeGreaterThan(0);
      expect(names.every((name) => name.endsWith('-deny-due-to-bad-CUSTOM-action'))).toBe(true);
    });
  }

  it('denies by the same rules as istiod when its provider is misconfigured', () => {
    const testCase =
      cases.find(({ name }) => name === 'http/custom-bad-invalid-config') ?? expect.fail('case is missing');
    const golden = goldenRbac(read('http', testCase.expected[0] ?? ''));
    const [rbac] = made(testCase) as [JsonObject];
    expect(rbac['rules']).toEqual(golden['rules']);
  });
});

function made(testCase: Case): readonly JsonValue[] {
  const { objects, findings } = loadText(read(testCase.protocol, testCase.input), testCase.input);
  expect(findings.filter((finding) => finding.level === 'error')).toEqual([]);
  const trust = { trustDomain: testCase.trust_domain ?? 'cluster.local', aliases: testCase.trust_domain_aliases ?? [] };
  const inputs = { policies: objects, trust };
  if (testCase.protocol === 'tcp') {
    return networkPolicyFilters(inputs).map((filter) => plain(NetworkRbacSchema, filter.configType.value as never));
  }
  return httpPolicyFilters(inputs).map((filter) => plain(HttpRbacSchema, filter.configType.value as never));
}

function plain(schema: typeof HttpRbacSchema | typeof NetworkRbacSchema, any: never): JsonObject {
  const message = unpackAny(schema, any) ?? expect.fail('no RBAC');
  replaceTemplates(message);
  return toJson(schema as typeof HttpRbacSchema, message as never) as JsonObject;
}

/** JSON cannot hold an Any of a type that nobody registered; the template's text stands for it on both sides. */
function replaceTemplates(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  const rule = value as { case?: string; value?: unknown };
  if (rule.case === 'uriTemplate') {
    const bytes = (rule.value as { typedConfig: { value: Uint8Array } }).typedConfig.value;
    rule.case = 'destinationPortRange';
    rule.value = {
      $typeName: 'envoy.type.v3.Int32Range',
      start: 0,
      end: hashOf(new TextDecoder().decode(bytes.subarray(2))),
    };
    return;
  }
  for (const child of Object.values(value)) replaceTemplates(child);
}

function goldenRbac(text: string): JsonObject {
  const filter = parse(text) as { typedConfig: JsonObject };
  const rbac = Object.fromEntries(Object.entries(filter.typedConfig).filter(([name]) => name !== '@type'));
  return replaceGolden(rbac) as JsonObject;
}

function replaceGolden(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(replaceGolden);
  if (typeof value !== 'object' || value === null) return value;
  const template = (value['uriTemplate'] as { typedConfig?: { pathTemplate?: string } } | undefined)?.typedConfig
    ?.pathTemplate;
  if (template !== undefined) return { destinationPortRange: { end: hashOf(template) } };
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replaceGolden(child)]));
}

function hashOf(text: string): number {
  return Array.from(text).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_003, 7);
}
