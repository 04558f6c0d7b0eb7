// Reduces an OpenAPI v3 schema of a CRD to the small JSON Schema that src/schema/validate.ts reads: no descriptions and defaults,
// proto oneofs as `atMostOne`, CEL rules as named checks, repeated sub-schemas once under `defs`.
import { fromCel } from './cel-checks.mjs';

const kept = [
  'type',
  'required',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'nullable',
];
const gatewayDuration = '^([0-9]{1,5}(h|m|s|ms)){1,4}$';

export function compact(schema, unknown) {
  const out = {};
  for (const key of kept) if (schema[key] !== undefined && schema[key] !== false) out[key] = schema[key];
  if (schema['x-kubernetes-int-or-string']) out.type = ['integer', 'string'];
  if (schema['x-kubernetes-preserve-unknown-fields']) out.open = true;
  if (schema.properties) out.properties = mapValues(schema.properties, (child) => compact(child, unknown));
  if (schema.items) out.items = compact(schema.items, unknown);
  if (typeof schema.additionalProperties === 'object')
    out.additionalProperties = compact(schema.additionalProperties, unknown);
  const groups = protoOneOfs(schema);
  const cel = fromCel(schema['x-kubernetes-validations'] ?? [], unknown);
  Object.assign(out, cel.keywords);
  if (out.pattern === gatewayDuration) {
    delete out.pattern;
    cel.checks.push(['gatewayDuration']);
  }
  const atMostOne = [...groups, ...cel.atMostOne].filter((group) => group.length > 1);
  if (atMostOne.length > 0) out.atMostOne = atMostOne;
  if (cel.checks.length > 0) out.checks = cel.checks;
  return out;
}

// protoc-gen-crd writes a oneof as {oneOf: [{not: {anyOf: [{required: [a]}, …]}}, {required: [a]}, …]}, several of them under allOf.
function protoOneOfs(schema) {
  return [schema, ...(schema.allOf ?? [])].flatMap((node) => {
    const names = (node.oneOf ?? []).flatMap((arm) => arm.required ?? []);
    return names.length > 0 ? [names] : [];
  });
}

/** Moves sub-schemas that occur more than once to `defs` and names them after the field that holds them most often. */
export function shareRepeated(schema) {
  const uses = new Map();
  visit(schema, 'spec', (node, field) => {
    const text = JSON.stringify(node);
    if (node.type === 'object' && text.length > 120) uses.set(text, [...(uses.get(text) ?? []), field]);
  });
  const defs = {};
  const names = new Map();
  const replace = (node, field, top = false) => {
    const text = JSON.stringify(node);
    const fields = uses.get(text) ?? [];
    if (!top && fields.length > 1) {
      if (!names.has(text)) {
        const name = freshName(mostFrequent(fields), defs);
        names.set(text, name);
        defs[name] = {};
        defs[name] = replace(node, field, true);
      }
      return { $ref: names.get(text) };
    }
    return mapChildren(node, (child, childField) => replace(child, childField ?? field));
  };
  const root = replace(schema, 'spec', true);
  return Object.keys(defs).length > 0 ? { ...root, defs } : root;
}

function mostFrequent(fields) {
  const count = (field) => fields.filter((other) => other === field).length;
  return fields.reduce((best, field) => (count(field) > count(best) ? field : best));
}

function freshName(field, defs) {
  for (let n = 1; ; n++) {
    const name = n === 1 ? field : `${field}${n}`;
    if (!(name in defs)) return name;
  }
}

function mapChildren(node, f) {
  const out = { ...node };
  if (node.properties)
    out.properties = Object.fromEntries(Object.entries(node.properties).map(([name, child]) => [name, f(child, name)]));
  if (node.items) out.items = f(node.items);
  if (node.additionalProperties) out.additionalProperties = f(node.additionalProperties);
  return out;
}

function visit(node, field, f) {
  f(node, field);
  mapChildren(node, (child, childField) => (visit(child, childField ?? field, f), child));
}

function mapValues(record, f) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
