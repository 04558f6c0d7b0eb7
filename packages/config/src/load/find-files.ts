// Which files a list of paths means: files as they are, folders with every *.yaml, *.yml and *.json below them, sorted by name.
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

export interface FoundFiles {
  readonly files: readonly string[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

const extensions = new Set(['.yaml', '.yml', '.json']);

export function findFiles(paths: readonly string[]): FoundFiles {
  const search = new Search();
  for (const path of paths) search.visit(path, true);
  return { files: search.files, unreadable: search.unreadable };
}

class Search {
  readonly files: string[] = [];
  readonly unreadable: { path: string; reason: string }[] = [];
  /** Real paths of what was visited: no file is read twice and no loop of links is followed. */
  readonly #visited = new Set<string>();

  visit(path: string, named: boolean): void {
    try {
      const real = realpathSync(path);
      const stat = statSync(real);
      if (!stat.isDirectory() && !named && !extensions.has(extname(path))) return;
      if (this.#visited.has(real)) return;
      this.#visited.add(real);
      if (stat.isDirectory()) this.#folder(path);
      else this.files.push(path);
    } catch (error) {
      this.unreadable.push({ path, reason: reasonOf(error) });
    }
  }

  // Names with a leading dot are left out: of a mounted ConfigMap that is `..data` and the folder it links to, whose files are linked
  // from the folder itself.
  #folder(path: string): void {
    const names = readdirSync(path).filter((name) => !name.startsWith('.') && name !== 'node_modules');
    for (const name of names.sort()) this.visit(join(path, name), false);
  }
}

export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ELOOP':
      return 'links point in a circle';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
