// Values and expectations in words for messages: "expected a duration like 10s, got 10".
import type { SchemaNode, SchemaType } from './schema-node.js';

const longestQuote = 60;

const typeNames: Readonly<Record<SchemaType, string>> = {
  object: 'a map',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  const text = JSON.stringify(value);
  return text.length > longestQuote ? `${text.slice(0, longestQuote - 1)}…` : text;
}

export function describeExpected(node: SchemaNode): string {
  if (node.checks?.some(([name]) => name === 'duration' || name === 'gatewayDuration')) return 'a duration like 10s';
  if (node.enum) return node.enum.length === 1 ? JSON.stringify(node.enum[0]) : `one of ${node.enum.join(', ')}`;
  if (node.type === undefined) return 'a value';
  return [node.type]
    .flat()
    .map((type) => typeNames[type])
    .join(' or ');
}
