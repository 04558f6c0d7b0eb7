// Reports every set field that is not declared as honoured: one recursive walk over a message and its descriptor (after Armeria's SupportedFieldValidator).
import { type Any, type DescMessage, effectiveTypeUrl, unpackAny } from '@heddle/xds';

/** What is declared of a message type. Fields by their proto names, separated by spaces. A type that is not listed is honoured as a whole. */
export interface FieldSupport {
  /** Fields that have their effect. */
  readonly honoured: string;
  /** Fields without any effect on traffic here (statistics names, socket options of a proxy): never reported. */
  readonly irrelevant?: string;
  /** What it means that a field is ignored, where the standard sentence says too little. */
  readonly consequences?: Readonly<Record<string, string>>;
}

export type SupportTable = Readonly<Record<string, FieldSupport>>;

export interface WalkPlan {
  readonly table: SupportTable;
  /** Types that are looked into when they come packed; other packed configurations report for themselves. */
  readonly packed: readonly DescMessage[];
}

export interface UndeclaredField {
  readonly path: string;
  readonly consequence: string;
}

type DescField = DescMessage['fields'][number];
type Fields = Readonly<Record<string, unknown>>;

const ANY = 'google.protobuf.Any';

/** Every set, undeclared field of a message, with its JSON path. */
export function undeclaredFields(schema: DescMessage, message: object, plan: WalkPlan): readonly UndeclaredField[] {
  const found: UndeclaredField[] = [];
  walk(schema, message as Fields, '$', plan, found);
  return found;
}

function walk(schema: DescMessage, message: Fields, path: string, plan: WalkPlan, found: UndeclaredField[]): void {
  const support = Object.hasOwn(plan.table, schema.typeName) ? plan.table[schema.typeName] : undefined;
  const honoured = support === undefined ? undefined : words(support.honoured);
  const irrelevant = words(support?.irrelevant ?? '');
  for (const field of schema.fields) {
    const value = valueOf(field, message);
    if (value === undefined || irrelevant.has(field.name)) continue;
    const at = `${path}.${field.name}`;
    if (honoured?.has(field.name) === false)
      found.push({ path: at, consequence: support?.consequences?.[field.name] ?? 'the field is ignored' });
    else descend(field, value, at, plan, found);
  }
}

function descend(field: DescField, value: unknown, path: string, plan: WalkPlan, found: UndeclaredField[]): void {
  if (field.fieldKind === 'message') visit(field.message, value, path, plan, found);
  else if (field.fieldKind === 'list' && field.listKind === 'message')
    for (const [index, item] of (value as unknown[]).entries())
      visit(field.message, item, `${path}[${index}]`, plan, found);
  else if (field.fieldKind === 'map' && field.mapKind === 'message')
    for (const [key, item] of Object.entries(value as object))
      visit(field.message, item, `${path}[${JSON.stringify(key)}]`, plan, found);
}

function visit(schema: DescMessage, value: unknown, path: string, plan: WalkPlan, found: UndeclaredField[]): void {
  if (schema.typeName === ANY) visitPacked(value as Any, path, plan, found);
  // Unwrapped values (UInt32Value as number, Struct as object) have nothing further to declare.
  else if (typeof value === 'object' && value !== null && '$typeName' in value) walk(schema, value, path, plan, found);
}

function visitPacked(any: Any, path: string, plan: WalkPlan, found: UndeclaredField[]): void {
  const typeUrl = effectiveTypeUrl(any);
  const schema = plan.packed.find((known) => typeUrl.endsWith(`/${known.typeName}`));
  if (schema === undefined) return;
  const message = unpackAny(schema, any);
  if (message !== undefined) walk(schema, message, path, plan, found);
}

/** The value of a set field; undefined when it is unset or has its default. */
function valueOf(field: DescField, message: Fields): unknown {
  if (field.oneof !== undefined) {
    const oneof = message[field.oneof.localName] as { readonly case?: string; readonly value?: unknown } | undefined;
    return oneof?.case === field.localName ? oneof.value : undefined;
  }
  const value = message[field.localName];
  return isDefault(value) ? undefined : value;
}

function isDefault(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === 0n || value === false) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  return typeof value === 'object' && value !== null && !('$typeName' in value) && Object.keys(value).length === 0;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter((word) => word !== ''));
}
