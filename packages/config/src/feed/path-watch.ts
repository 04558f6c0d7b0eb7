// Watches files and folders: fs.watch for speed, a slow poll for certainty. Tells only when names, sizes, times or inodes differ.
import { type FSWatcher, type Stats, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface PathWatchOptions {
  readonly pollIntervalMs: number;
  readonly debounceMs: number;
  /**
   * Called with no other call running. `isSettled` tells, after reading, whether the files are still what they were before: what was read while somebody
   * wrote may be half a file, and another call follows then.
   */
  readonly onChange: (isSettled: () => Promise<boolean>) => Promise<void>;
}

export class PathWatch {
  readonly #paths: readonly string[];
  readonly #options: PathWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #print: string | undefined;
  #startedMs = 0;
  #poll: NodeJS.Timeout | undefined;
  #debounce: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #closed = false;

  constructor(paths: readonly string[], options: PathWatchOptions) {
    this.#paths = paths;
    this.#options = options;
  }

  /** Call it before the first reading: what changes after that is told. */
  start(): void {
    this.#startedMs = Date.now();
    this.#poll = setInterval(() => this.#look(), this.#options.pollIntervalMs).unref();
    this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#debounce);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #hint(): void {
    if (this.#closed) return;
    clearTimeout(this.#debounce);
    this.#debounce = setTimeout(() => this.#look(), this.#options.debounceMs).unref();
  }

  #look(): void {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    void this.#compare().finally(() => {
      this.#looking = false;
      if (!this.#again || this.#closed) return;
      this.#again = false;
      this.#look();
    });
  }

  async #compare(): Promise<void> {
    const tree = await treeOf(this.#paths);
    if (this.#closed) return;
    this.#watchFolders(tree.folders);
    const print = tree.entries.join('\n');
    if (this.#print !== print && Math.abs(Date.now() - tree.emptiedMs) < EMPTY_GRACE_MS) {
      this.#hint();
      return;
    }
    // The first look says what is there; a file that changed about then may have been read before or after its change.
    const since = this.#startedMs - CLOCK_GRAIN_MS;
    const changed = this.#print === undefined ? tree.newestMs >= since : this.#print !== print;
    this.#print = print;
    if (changed) await this.#options.onChange(() => this.#isStill(print));
  }

  async #isStill(print: string): Promise<boolean> {
    const tree = await treeOf(this.#paths);
    if (tree.entries.join('\n') === print) return true;
    this.#hint();
    return false;
  }

  #watchFolders(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  /** Without a watch (limits of the system, a folder that just went) the poll finds the change. */
  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#hint());
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch {
      return;
    }
  }
}

/** Times of files are coarser than the clock. */
const CLOCK_GRAIN_MS = 20;
/** Many editors empty a file and then write it: one that was emptied this recently is looked at again before it counts. */
const EMPTY_GRACE_MS = 300;

interface Tree {
  /** The latest change of any file. */
  readonly newestMs: number;
  /** When the latest of the empty files was changed; -Infinity without any. */
  readonly emptiedMs: number;
  /** One line a file: path, inode, size, time of change. */
  readonly entries: readonly string[];
  readonly folders: ReadonlySet<string>;
}

interface Growing {
  readonly entries: string[];
  readonly folders: Set<string>;
  newestMs: number;
  emptiedMs: number;
}

async function treeOf(paths: readonly string[]): Promise<Tree> {
  const tree: Growing = { entries: [], folders: new Set(), newestMs: 0, emptiedMs: -Infinity };
  for (const path of paths) {
    const found = await statOrNothing(path);
    if (found?.isDirectory() === true) await addFolder(path, tree, 0);
    else {
      // A file that is replaced by a rename is another inode: its folder sees the rename, the file's own watch would not.
      tree.folders.add(dirname(path));
      addFile(path, found, tree);
    }
  }
  return { ...tree, entries: tree.entries.sort() };
}

const MAX_DEPTH = 16;

async function addFolder(folder: string, tree: Growing, depth: number): Promise<void> {
  tree.folders.add(folder);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const found = await statOrNothing(path);
    if (found?.isDirectory() === true && depth < MAX_DEPTH) await addFolder(path, tree, depth + 1);
    else addFile(path, found, tree);
  }
}

function addFile(path: string, found: Stats | undefined, tree: Growing): void {
  tree.newestMs = Math.max(tree.newestMs, found?.ctimeMs ?? 0);
  if (found?.size === 0) tree.emptiedMs = Math.max(tree.emptiedMs, found.mtimeMs);
  const state = found === undefined ? 'absent' : `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
  tree.entries.push(`${path} ${state}`);
}

async function statOrNothing(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}
