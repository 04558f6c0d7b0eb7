// Validates plain data against a compact schema and says every fault in words. An interpreter instead of generated code, because
// 25 precompiled ajv validators are 870 KB that cost 16 ms at start, and this table 87 KB that costs none until a kind is used.
// validate.test.ts holds it to ajv's verdict on the same schemas.
import type { Message } from '../analyze/messages.js';
import { messages } from '../analyze/messages.js';
import type { FieldPath } from '../model/config-object.js';
import { runCheck } from './checks.js';
import { describeExpected, describeValue } from './describe-value.js';
import { didYouMean } from './nearest-name.js';
import type { SchemaNode, SchemaType } from './schema-node.js';

export interface Fault {
  readonly message: Message;
  readonly path: FieldPath;
  readonly args: Readonly<Record<string, string | number>>;
  readonly suggestion?: string | undefined;
  /** The value is of another type than the schema's, or lacks what the type promises. */
  readonly breaksType: boolean;
}

/** All faults of `value`, in the order of the data. `kind` is named in messages, `base` leads every path. */
export function validateValue(schema: SchemaNode, value: unknown, kind: string, base: FieldPath): Fault[] {
  const walk = new Walk(kind, [...base]);
  walk.visit(schema, value);
  return walk.faults;
}

class Walk {
  readonly faults: Fault[] = [];

  constructor(
    private readonly kind: string,
    private readonly path: (string | number)[],
  ) {}

  visit(node: SchemaNode, value: unknown): void {
    if (value === null && node.nullable) return;
    if (!hasType(node, value)) {
      const message = isDuration(node) ? messages.badDuration : messages.wrongType;
      this.fault(
        message,
        { expected: describeExpected(node), got: describeValue(value) },
        quoteHint(node, value),
        true,
      );
      return;
    }
    if (Array.isArray(value)) this.visitList(node, value);
    else if (typeof value === 'object' && value !== null) this.visitMap(node, value as Record<string, unknown>);
    else this.visitScalar(node, value);
    for (const [name, ...args] of node.checks ?? []) this.check(name, args, value);
  }

  private visitList(node: SchemaNode, list: readonly unknown[]): void {
    this.size(list.length, node.minItems, node.maxItems, 'entries');
    const { items } = node;
    if (!items) return;
    list.forEach((entry, index) => this.at(index, () => this.visit(items, entry)));
  }

  private visitMap(node: SchemaNode, map: Readonly<Record<string, unknown>>): void {
    const keys = Object.keys(map);
    this.size(keys.length, node.minProperties, node.maxProperties, 'fields');
    for (const missing of node.required ?? [])
      if (!Object.hasOwn(map, missing)) this.fault(messages.missingField, { missing }, undefined, true);
    for (const group of node.atMostOne ?? []) {
      const set = group.filter((field) => Object.hasOwn(map, field));
      if (set.length > 1) this.fault(messages.onlyOneOf, { allowed: group.join(', '), got: set.join(' and ') });
    }
    for (const key of keys) {
      const child = node.properties?.[key] ?? node.additionalProperties;
      if (child) this.at(key, () => this.visit(child, map[key]));
      else if (node.properties && !node.open) this.unknownField(key, node.properties);
    }
  }

  private unknownField(key: string, properties: Readonly<Record<string, SchemaNode>>): void {
    const suggestion = didYouMean(key, Object.keys(properties));
    this.at(key, () => this.fault(messages.unknownField, { kind: this.kind }, suggestion));
  }

  private visitScalar(node: SchemaNode, value: unknown): void {
    if (node.enum && !node.enum.includes(value as string)) {
      const suggestion = typeof value === 'string' ? didYouMean(value, node.enum) : undefined;
      this.fault(messages.notAChoice, { expected: describeExpected(node), got: describeValue(value) }, suggestion);
    }
    if (typeof value === 'number') this.range(node, value);
    if (typeof value !== 'string') return;
    // Code points, as JSON Schema and Kubernetes count.
    if (node.minLength !== undefined || node.maxLength !== undefined) {
      this.size(Array.from(value).length, node.minLength, node.maxLength, 'characters');
    }
    if (node.pattern !== undefined && !new RegExp(node.pattern).test(value)) {
      this.fault(messages.badPattern, { expected: node.pattern, got: describeValue(value) });
    }
  }

  private range({ minimum, maximum }: SchemaNode, value: number): void {
    if (value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)) return;
    const range = maximum === undefined ? `at least ${minimum ?? 0}` : `a number from ${minimum ?? 0} to ${maximum}`;
    this.fault(messages.outOfRange, { expected: range, got: String(value) });
  }

  private size(count: number, min: number | undefined, max: number | undefined, unit: string): void {
    if (min !== undefined && count < min)
      this.fault(messages.badLength, { expected: `at least ${min} ${unit}`, got: count });
    if (max !== undefined && count > max)
      this.fault(messages.badLength, { expected: `at most ${max} ${unit}`, got: count });
  }

  private check(name: string, args: readonly string[], value: unknown): void {
    for (const problem of runCheck(name, args, value)) {
      const path = problem.at ?? [];
      this.path.push(...path);
      this.fault(problem.message, problem.args);
      this.path.length -= path.length;
    }
  }

  private at(step: string | number, visit: () => void): void {
    this.path.push(step);
    visit();
    this.path.pop();
  }

  private fault(message: Message, args: Fault['args'], suggestion?: string, breaksType = false): void {
    this.faults.push({ message, path: [...this.path], args, suggestion, breaksType });
  }
}

function hasType(node: SchemaNode, value: unknown): boolean {
  if (node.type === undefined) return true;
  return typeof node.type === 'string' ? isType(node.type, value) : node.type.some((type) => isType(type, value));
}

function isType(type: SchemaType, value: unknown): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
  }
}

const isDuration = (node: SchemaNode) =>
  node.checks?.some(([name]) => name === 'duration' || name === 'gatewayDuration');

// YAML reads 1.0 and true as number and boolean; Kubernetes wants text there.
function quoteHint(node: SchemaNode, value: unknown): string | undefined {
  if (isDuration(node) && typeof value === 'number') return `write \`${value}s\` for seconds`;
  const wantsText = node.type === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  return wantsText ? `put it in quotes: "${String(value)}"` : undefined;
}
