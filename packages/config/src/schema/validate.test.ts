import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../analyze/check.js';
import { loadText } from '../load/load.js';
import { apiVersionOf } from '../load/unknown-kinds.js';
import { checks } from './checks.js';
import { kindByName, kinds } from './kinds.js';
import type { SchemaNode, SchemaType } from './schema-node.js';
import { validateValue } from './validate.js';

const faultsOf = (schema: SchemaNode, value: unknown) =>
  validateValue(schema, value, 'VirtualService', ['spec']).map(
    ({ message, path, args }) => `${message.name} ${path.join('.')} ${Object.values(args).join(' | ')}`,
  );

/** The same schema for ajv: closed objects, int-or-string as ajv reads it, without what ajv has no keyword for. */
function forAjv({ open, atMostOne, ...rest }: SchemaNode): object {
  const node = without(rest, 'checks');
  const map = (record: Readonly<Record<string, SchemaNode>>) =>
    Object.fromEntries(Object.entries(record).map(([name, child]) => [name, forAjv(child)]));
  const exclusive = (atMostOne ?? []).flatMap((group) =>
    group.flatMap((a, at) => group.slice(at + 1).map((b) => ({ not: { required: [a, b] } }))),
  );
  return {
    ...node,
    ...(node.properties && {
      properties: map(node.properties),
      ...(!open && !node.additionalProperties && { additionalProperties: false }),
    }),
    ...(node.additionalProperties && { additionalProperties: forAjv(node.additionalProperties) }),
    ...(node.items && { items: forAjv(node.items) }),
    ...(exclusive.length > 0 && { allOf: exclusive }),
  };
}

/** Values that mostly fit the schema, with slips: a wrong type, an unknown or missing field, a number out of range. */
function valuesFor(node: SchemaNode): fc.Arbitrary<unknown> {
  const wrong = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant([]),
    fc.constant({}),
    fc.constant(1.5),
  );
  return fc.oneof({ weight: 12, arbitrary: rightFor(node) }, { weight: 1, arbitrary: wrong });
}

function rightFor(node: SchemaNode): fc.Arbitrary<unknown> {
  if (node.enum) return fc.constantFrom(...node.enum, 'NEITHER');
  const type: SchemaType | undefined = typeof node.type === 'string' ? node.type : node.type && 'integer';
  switch (type) {
    case 'object': {
      const fields = Object.entries(node.properties ?? {}).map(
        ([name, child]) => [name, fc.option(fc.constant(child), { nil: undefined })] as const,
      );
      const other = node.additionalProperties
        ? fc.dictionary(fc.string({ maxLength: 3 }), valuesFor(node.additionalProperties), { maxKeys: 3 })
        : fc.constantFrom({}, {}, {}, { unheardOf: 1 });
      if (fields.length === 0) return other;
      // A few fields at a time keep the trees small.
      const some = fc
        .subarray(
          fields.map(([name]) => name),
          { maxLength: Math.min(3, fields.length) },
        )
        .chain((names) =>
          fc.record(
            Object.fromEntries(
              [...names, ...(node.required ?? [])].map((name) => [name, valuesFor(node.properties?.[name] ?? {})]),
            ),
          ),
        );
      return fc.tuple(some, other).map(([a, b]) => ({ ...b, ...a }));
    }
    case 'array':
      return fc.array(valuesFor(node.items ?? {}), { maxLength: 3 });
    case 'string':
      return fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.constantFrom('10s', 'a.example.com', '/a', '😀'));
    case 'integer':
      return fc.oneof(fc.integer({ min: -2, max: 70000 }), fc.constant(2.5));
    case 'number':
      return fc.double({ min: -5, max: 200, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case undefined:
      return fc.anything({ maxDepth: 1 }).filter((value) => value !== undefined);
  }
}

describe('validation', () => {
  const generated = kinds.filter(({ closed }) => closed);

  for (const { name, schema } of generated) {
    it(`of ${name} judges as ajv does on the same schema`, () => {
      const bare = withoutChecks(schema());
      const judge = new Ajv({ strict: false, allErrors: true }).compile(forAjv(bare));
      fc.assert(
        fc.property(valuesFor(bare), (value) => {
          expect(validateValue(bare, value, name, []).length === 0).toBe(judge(value));
        }),
        { numRuns: 150 },
      );
    });
  }

  it('never throws, whatever the value', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.anything(), (kind, value) => {
        expect(Array.isArray(validateValue(kind.schema(), value, kind.kind, ['spec']))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws on values that nearly fit, checks included', () => {
    for (const { schema, kind } of generated) {
      fc.assert(
        fc.property(valuesFor(schema()), (value) => void validateValue(schema(), value, kind, ['spec'])),
        { numRuns: 50 },
      );
    }
  });

  it('and analysis never throw on a configuration of near misses', () => {
    const one = fc.constantFrom(...kinds).chain((info) =>
      fc.record({
        apiVersion: fc.constant(apiVersionOf(info.group, info.versions[0] ?? '')),
        kind: fc.constant(info.kind),
        metadata: fc.record({ name: fc.constantFrom('a', 'b', 'C'), namespace: fc.constantFrom('default', 'prod') }),
        spec: valuesFor(info.schema()),
        status: info.statusSchema ? valuesFor(info.statusSchema) : fc.constant({}),
      }),
    );
    fc.assert(
      fc.property(fc.array(one, { maxLength: 6 }), (objects) => {
        const text = objects.map((object) => JSON.stringify(object)).join('\n---\n');
        const loaded = loadText(text, 'x.json');
        expect(checkConfig(loaded).length).toBeGreaterThanOrEqual(loaded.findings.length);
        for (const { field, position } of loaded.findings)
          expect(field === undefined || position !== undefined).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('leaves free-form values alone', () => {
    const value = { '@type': 'x', anything: [1, { goes: null }] };
    const patch = { applyTo: 'HTTP_FILTER', patch: { operation: 'INSERT_BEFORE', value } };
    expect(faultsOf(kindByName('EnvoyFilter').schema(), { configPatches: [patch] })).toEqual([]);
  });

  it('says what was expected and what came', () => {
    const { schema } = kindByName('VirtualService');
    expect(faultsOf(schema(), { hosts: 'a', http: [{ timeout: 10, retries: { attempts: '2' } }], htpp: [] })).toEqual([
      'wrong-type spec.hosts a list | "a"',
      'bad-duration spec.http.0.timeout a duration like 10s | 10',
      'wrong-type spec.http.0.retries.attempts a whole number | "2"',
      'unknown-field spec.htpp VirtualService',
    ]);
  });

  it('knows every check that a schema names', () => {
    const named = new Set<string>();
    for (const { schema } of kinds) visit(schema(), (node) => node.checks?.forEach(([name]) => named.add(name)));
    expect([...named].filter((name) => !(name in checks))).toEqual([]);
    expect(Object.keys(checks).filter((name) => !named.has(name))).toEqual([]);
  });
});

function visit(node: SchemaNode, look: (node: SchemaNode) => void): void {
  look(node);
  for (const child of Object.values(node.properties ?? {})) visit(child, look);
  if (node.items) visit(node.items, look);
  if (node.additionalProperties) visit(node.additionalProperties, look);
}

const without = <T extends object>(value: T, key: string): T =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)) as T;

function withoutChecks(schema: SchemaNode): SchemaNode {
  const node = without(schema, 'checks');
  return {
    ...node,
    ...(node.properties && {
      properties: Object.fromEntries(
        Object.entries(node.properties).map(([name, child]) => [name, withoutChecks(child)]),
      ),
    }),
    ...(node.items && { items: withoutChecks(node.items) }),
    ...(node.additionalProperties && { additionalProperties: withoutChecks(node.additionalProperties) }),
  };
}
