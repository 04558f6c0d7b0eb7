// Where the golden cases of others lie: HEDDLE_CORPORA, or ../shared/corpora beside the repository.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.env['HEDDLE_CORPORA'] ?? fileURLToPath(new URL('../../../../shared/corpora', import.meta.url));

/** The folder of one collection; undefined when it is not there. */
export function corpus(name: string): string | undefined {
  const folder = join(root, name);
  return existsSync(folder) ? folder : undefined;
}
