// The small JSON Schema that the recipe makes of a CRD, and its parsed form: references resolved, patterns compiled.

/** Keywords have JSON Schema's meaning. An object with `properties` is closed unless it is `open`. */
export interface SchemaNode {
  /** `['integer', 'string']` is Kubernetes' int-or-string. Absent: any value. */
  readonly type?: SchemaType | readonly SchemaType[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly nullable?: boolean;
  /** x-kubernetes-preserve-unknown-fields: fields beside `properties` are allowed and not looked at. */
  readonly open?: boolean;
  /** Groups of fields of which at most one may be set (proto oneofs and CEL rules of that form). */
  readonly atMostOne?: readonly (readonly string[])[];
  /** Named checks of checks.ts with their arguments: what the CRDs say in CEL. */
  readonly checks?: readonly (readonly [string, ...string[]])[];
}

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';

interface WrittenNode extends Omit<SchemaNode, 'properties' | 'items' | 'additionalProperties'> {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, WrittenNode>>;
  readonly additionalProperties?: WrittenNode;
  readonly items?: WrittenNode;
  readonly defs?: Readonly<Record<string, WrittenNode>>;
}

/** Parses a generated schema; every `$ref` becomes the one node that `defs` holds under that name. */
export function parseSchema(text: string): SchemaNode {
  const { defs = {}, ...root } = JSON.parse(text) as WrittenNode;
  const resolved = new Map<string, SchemaNode>();
  const resolve = (node: WrittenNode): SchemaNode => {
    if (node.$ref !== undefined) {
      const known = resolved.get(node.$ref) ?? resolve(defs[node.$ref] ?? {});
      resolved.set(node.$ref, known);
      return known;
    }
    const { properties, items, additionalProperties, ...rest } = node;
    return {
      ...rest,
      ...(properties && { properties: mapValues(properties, resolve) }),
      ...(items && { items: resolve(items) }),
      ...(additionalProperties && { additionalProperties: resolve(additionalProperties) }),
    };
  };
  return resolve(root);
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  const out: Record<string, B> = Object.create(null) as Record<string, B>;
  for (const [key, value] of Object.entries(record)) out[key] = map(value);
  return out;
}
