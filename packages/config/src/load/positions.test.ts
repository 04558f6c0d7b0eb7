import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { ReadDocument } from './read-documents.js';
import { readDocuments } from './read-documents.js';
import { defaultLimits } from './limits.js';

const read = (text: string): ReadDocument[] => [...readDocuments(text, undefined, defaultLimits, () => undefined)];

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('yes', '1.0', '~', ': ', '- a', '<<'),
);
const key = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('8080', '0', '__proto__', 'constructor', '<<', 'a b'),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
  ),
}));

function* pathsOf(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  yield path;
  if (Array.isArray(value)) for (const [index, child] of value.entries()) yield* pathsOf(child, [...path, index]);
  else if (typeof value === 'object' && value !== null)
    for (const [name, child] of Object.entries(value)) yield* pathsOf(child, [...path, name]);
}

describe('positions', () => {
  it('JSON goes in and the same data comes out', () => {
    fc.assert(
      fc.property(
        tree.filter((value) => value !== null),
        (value) => {
          expect(read(JSON.stringify(value)).map((document) => document.value)).toEqual([value]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('point at the key or the item in YAML text, for every path', () => {
    fc.assert(
      fc.property(
        tree.filter((value) => typeof value === 'object' && value !== null),
        (value) => {
          const text = stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, defaultKeyType: 'QUOTE_DOUBLE' });
          const [document] = read(text);
          if (!document) throw new Error('no document');
          expect(document.value).toEqual(value);
          const lines = text.split('\n');
          for (const path of pathsOf(value)) {
            const { line, column } = document.positions.positionOf(path);
            const step = path.at(-1);
            const rest = lines[line - 1]?.slice(column - 1) ?? '';
            if (typeof step === 'string')
              expect(rest.startsWith(JSON.stringify(step)) || rest.startsWith('? ')).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('fall back to the nearest parent that exists', () => {
    const [document] = read('a:\n  b:\n  - c: 1\n');
    expect(document?.positions.positionOf(['a', 'b', 0, 'nope', 3])).toEqual({ line: 3, column: 5 });
    expect(document?.positions.positionOf(['x'])).toEqual({ line: 1, column: 1 });
  });

  it('no text crashes the reader', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from(' \n\t:-?{}[],&*!|>\'"%@`#a1<')), maxLength: 60 }),
        (text) => void read(text),
      ),
      { numRuns: 1000 },
    );
  });
});
