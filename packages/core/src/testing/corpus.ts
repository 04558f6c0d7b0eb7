// Golden cases that others wrote, read in place from HEDDLE_CORPORA (default: ../shared/corpora beside the repository). Absent = undefined: tests skip.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../../..', import.meta.url));

/** The `cases` of one corpus file, or undefined where there is no corpus. */
export function corpusCases<Case>(file: string): Case[] | undefined {
  const path = join(process.env['HEDDLE_CORPORA'] ?? join(REPOSITORY, '../shared/corpora'), file);
  if (!existsSync(path)) return undefined;
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] }).cases;
}
