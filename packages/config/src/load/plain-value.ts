// YAML nodes -> plain data with positions, in one pass: aliases and merge keys expanded within limits, duplicate keys reported.
import type { Document, Node, Pair, Scalar, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { LoadLimits } from './limits.js';
import type { LineTable } from './position-table.js';
import { PositionTable } from './position-table.js';

/** What a document turned out to be; faults are at character offsets of the file. */
export interface PlainDocument {
  readonly value: unknown;
  readonly positions: PositionTable;
  readonly faults: readonly PlainFault[];
}

export type PlainFault =
  | { readonly kind: 'duplicate-key'; readonly offset: number; readonly key: string }
  | { readonly kind: 'bad-key'; readonly offset: number; readonly got: string }
  | { readonly kind: 'too-many-values'; readonly offset: number; readonly limit: number }
  | { readonly kind: 'too-deep'; readonly offset: number; readonly limit: number }
  | { readonly kind: 'unknown-alias'; readonly offset: number; readonly alias: string };

export function toPlainDocument(document: Document.Parsed, lines: LineTable, limits: LoadLimits): PlainDocument {
  const reader = new PlainReader(limits);
  const value = reader.read(document.contents, document.range[0]);
  return { value, positions: new PositionTable(value, reader.offsets, reader.sizes, lines), faults: reader.faults };
}

/** Thrown through the recursion when a limit is passed; the rest of the document is not worth reading. */
class LimitPassed extends Error {}

type PairOf = Pair<Node, Node | null>;

class PlainReader {
  readonly offsets: number[] = [];
  readonly sizes: number[] = [];
  readonly faults: PlainFault[] = [];
  readonly #anchors = new Map<string, Node>();
  #aliasDepth = 0;
  #aliased = 0;

  constructor(private readonly limits: LoadLimits) {}

  read(root: Node | null, offset: number): unknown {
    try {
      return this.#value(root, root?.range?.[0] ?? offset, 0);
    } catch (error) {
      if (error instanceof LimitPassed) return undefined;
      throw error;
    }
  }

  #value(node: Node | null, offset: number, depth: number): unknown {
    if (isAlias(node)) return this.#alias(node.source, offset, depth);
    this.#count(offset, depth);
    const index = this.offsets.push(offset) - 1;
    this.sizes.push(1);
    if (node && 'anchor' in node && typeof node.anchor === 'string') this.#anchors.set(node.anchor, node);
    const value = this.#content(node, depth);
    this.sizes[index] = this.offsets.length - index;
    return value;
  }

  #content(node: Node | null, depth: number): unknown {
    if (isScalar(node)) return plainScalar(node);
    if (isSeq(node)) {
      return node.items.map((item) => this.#value(item as Node | null, startOf(item as Node | null, node), depth + 1));
    }
    return isMap(node) ? this.#map(node as YAMLMap<Node, Node | null>, depth) : null;
  }

  #map(node: YAMLMap<Node, Node | null>, depth: number): Record<string, unknown> {
    const pairs = new Map<string, PairOf>();
    this.#collect(node, pairs, 0);
    const out: Record<string, unknown> = {};
    // Keys first, so that the walk below has the order that Object.keys gives later (number-like keys come first).
    for (const key of pairs.keys()) define(out, key, null);
    for (const key of Object.keys(out)) {
      const pair = pairs.get(key);
      if (pair) define(out, key, this.#value(pair.value, startOf(pair.key, node), depth + 1));
    }
    return out;
  }

  /** Own keys win over merged ones (`<<`), wherever the merge stands. */
  #collect(node: YAMLMap<Node, Node | null>, pairs: Map<string, PairOf>, mergeDepth: number): void {
    const merged: Node[] = [];
    for (const pair of node.items) {
      const key = this.#key(pair.key, startOf(pair.key, node));
      if (key === undefined) continue;
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.value) merged.push(pair.value);
      else if (!pairs.has(key)) pairs.set(key, pair);
      else if (mergeDepth === 0) this.faults.push({ kind: 'duplicate-key', offset: startOf(pair.key, node), key });
    }
    for (const value of merged) this.#merge(value, pairs, mergeDepth + 1);
  }

  #merge(value: Node, pairs: Map<string, PairOf>, mergeDepth: number): void {
    const offset = startOf(value, undefined);
    if (mergeDepth > this.limits.nesting) this.#limit({ kind: 'too-deep', offset, limit: this.limits.nesting });
    const source = isAlias(value) ? this.#anchors.get(value.source) : value;
    if (isMap(source)) this.#collect(source as YAMLMap<Node, Node | null>, pairs, mergeDepth);
    else if (isSeq(source)) for (const item of source.items) this.#merge(item as Node, pairs, mergeDepth + 1);
    else this.faults.push({ kind: 'bad-key', offset, got: 'a merge key `<<` without a map' });
  }

  #key(node: Node, offset: number): string | undefined {
    const scalar = isAlias(node) ? this.#anchors.get(node.source) : node;
    if (isScalar(scalar)) return scalar.source ?? JSON.stringify(scalar.value);
    this.faults.push({ kind: 'bad-key', offset, got: isMap(scalar) ? 'a map' : 'a list' });
    return undefined;
  }

  #alias(name: string, offset: number, depth: number): unknown {
    const target = this.#anchors.get(name);
    if (!target) this.faults.push({ kind: 'unknown-alias', offset, alias: name });
    this.#aliasDepth++;
    const value = this.#value(target ?? null, offset, depth);
    this.#aliasDepth--;
    return value;
  }

  #count(offset: number, depth: number): void {
    const { nesting, valuesPerDocument, aliasedValuesPerDocument } = this.limits;
    if (depth > nesting) this.#limit({ kind: 'too-deep', offset, limit: nesting });
    if (this.offsets.length >= valuesPerDocument)
      this.#limit({ kind: 'too-many-values', offset, limit: valuesPerDocument });
    if (this.#aliasDepth === 0) return;
    if (++this.#aliased > aliasedValuesPerDocument) {
      this.#limit({ kind: 'too-many-values', offset, limit: aliasedValuesPerDocument });
    }
  }

  #limit(fault: PlainFault): never {
    this.faults.push(fault);
    throw new LimitPassed();
  }
}

function plainScalar({ value }: Scalar): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function startOf(node: Node | null, parent: Node | undefined): number {
  return node?.range?.[0] ?? parent?.range?.[0] ?? 0;
}

// `__proto__` as a key must become a field, not the prototype.
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else target[key] = value;
}
