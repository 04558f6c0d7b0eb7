// Where real programs for tests are kept between runs: outside the tree, so that a fresh clone finds them again.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** HEDDLE_PARTS, or `heddle/parts` in the user's cache folder. */
export function partFolder(name: string): string {
  const root =
    process.env['HEDDLE_PARTS'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'heddle', 'parts');
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

export type Part<Value> =
  { readonly available: true; readonly value: Value } | { readonly available: false; readonly reason: string };

/** In CI a missing part is a failure; elsewhere the tests that need it are skipped with the reason. */
export function orFailInCi<Value>(part: Part<Value>): Part<Value> {
  if (!part.available && process.env['CI'] === 'true') throw new Error(`a part is missing in CI: ${part.reason}`);
  return part;
}
