// Where each value of a document was written. The YAML tree is not kept: one number for the place and one for the size of the subtree,
// in the order in which the plain data is walked, are enough to find any path again (8 bytes a value).
import type { FieldPath, Position } from '../model/config-object.js';

/** Start offsets of the lines of one file. */
export class LineTable {
  readonly #starts: Uint32Array;

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = Uint32Array.from(starts);
  }

  positionAt(offset: number): Position {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

export class PositionTable {
  readonly #offsets: Uint32Array;
  readonly #sizes: Uint32Array;

  /** `offsets[i]` and `sizes[i]` belong to the i-th value in pre-order, keys in the order of Object.keys. */
  constructor(
    private readonly root: unknown,
    offsets: readonly number[],
    sizes: readonly number[],
    private readonly lines: LineTable,
  ) {
    this.#offsets = Uint32Array.from(offsets);
    this.#sizes = Uint32Array.from(sizes);
  }

  /** The place of the value at `path`, or of the nearest parent that exists. */
  positionOf(path: FieldPath): Position {
    let value = this.root;
    let index = 0;
    for (const step of path) {
      const child = childOf(value, step);
      // A kind without spec keeps its top-level fields in `spec` of the model; in the file that step is missing.
      if (!child && step === 'spec' && isHeader(value)) continue;
      if (!child) break;
      let next = index + 1;
      for (let n = 0; n < child.before; n++) next += this.#sizes[next] ?? 1;
      [value, index] = [child.value, next];
    }
    return this.lines.positionAt(this.#offsets[index] ?? 0);
  }
}

function childOf(value: unknown, step: string | number): { value: unknown; before: number } | undefined {
  if (Array.isArray(value)) {
    return typeof step === 'number' && step < value.length ? { value: value[step], before: step } : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const before = Object.keys(value).indexOf(String(step));
  return before < 0 ? undefined : { value: (value as Record<string, unknown>)[step], before };
}

// The map that holds an object's header: apiVersion and kind.
function isHeader(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'apiVersion' in value && 'kind' in value;
}
