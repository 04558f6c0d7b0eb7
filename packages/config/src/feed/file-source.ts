// Files of configuration, watched: editions one after the other, each complete. Events of the file system only hint that
// something changed (editors rename, ConfigMaps swap a symlink, some file systems send nothing): what counts is stat.
import { checkConfig } from '../analyze/check.js';
import { messages } from '../analyze/messages.js';
import { makeFinding } from '../analyze/report.js';
import type { ConfigObject } from '../model/config-object.js';
import type { Finding } from '../model/finding.js';
import type { LoadedConfig } from '../model/loaded-config.js';
import { loadPaths, loadPathsSync } from '../load/load.js';
import { keepUnchanged } from './keep-unchanged.js';
import { PathWatch } from './path-watch.js';

export type ConfigEdition =
  | { readonly kind: 'good'; readonly objects: readonly ConfigObject[]; readonly findings: readonly Finding[] }
  /** Refused: `first` when nothing is in force yet. */
  | {
      readonly kind: 'refused';
      readonly findings: readonly Finding[];
      readonly first: boolean;
      readonly retryInMs: number;
    };

export interface FileSourceOptions {
  readonly pollIntervalMs?: number;
  readonly debounceMs?: number;
  /** Whether editions come with the findings of `checkConfig`, not only those of reading. Default true. */
  readonly analyse?: boolean;
}

export class FileSource {
  readonly #paths: readonly string[];
  readonly #watch: PathWatch;
  readonly #pollIntervalMs: number;
  readonly #analyse: boolean;
  #objects: readonly ConfigObject[] | undefined;
  #listener: ((edition: ConfigEdition) => void) | undefined;
  #closed = false;

  constructor(paths: readonly string[], options: FileSourceOptions = {}) {
    this.#paths = paths;
    this.#pollIntervalMs = options.pollIntervalMs ?? 2_000;
    this.#analyse = options.analyse ?? true;
    this.#watch = new PathWatch(paths, {
      pollIntervalMs: this.#pollIntervalMs,
      debounceMs: options.debounceMs ?? 30,
      onChange: (isSettled) => this.#reload(isSettled),
    });
  }

  /** Reads the first edition at once and watches for more. The listener may throw; the edition then counts as refused. */
  start(listener: (edition: ConfigEdition) => void): void {
    this.#listener = listener;
    this.#watch.start();
    this.#take(loadPathsSync(this.#paths));
  }

  close(): void {
    this.#closed = true;
    this.#watch.close();
  }

  async #reload(isSettled: () => Promise<boolean>): Promise<void> {
    const loaded = await loadPaths(this.#paths);
    if ((await isSettled()) && !this.#closed) this.#take(loaded);
  }

  #take(loaded: LoadedConfig): void {
    const first = this.#objects === undefined;
    const refused = { kind: 'refused', first, retryInMs: this.#pollIntervalMs } as const;
    const findings = this.#analyse ? checkConfig(loaded) : loaded.findings;
    // Analysis of the whole says no errors: what is in force depends on each object alone.
    if (loaded.findings.some((finding) => finding.level === 'error')) {
      this.#listener?.({ ...refused, findings });
      return;
    }
    const objects = keepUnchanged(this.#objects ?? [], loaded.objects);
    try {
      this.#listener?.({ kind: 'good', objects, findings });
      this.#objects = objects;
    } catch (error) {
      this.#listener?.({ ...refused, findings: [...findings, translationFailed(error)] });
    }
  }
}

function translationFailed(error: unknown): Finding {
  const reason = error instanceof Error ? error.message : String(error);
  return makeFinding(messages.translationFailed, { file: undefined }, { reason });
}
