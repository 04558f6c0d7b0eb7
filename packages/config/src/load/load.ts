// Reading configuration: texts, files and folders -> LoadedConfig.
import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { messages } from '../analyze/messages.js';
import type { LoadedConfig } from '../model/loaded-config.js';
import { findFiles, reasonOf } from './find-files.js';
import type { LoadOptions } from './loading.js';
import { Loading } from './loading.js';

/** Objects of one YAML or JSON text; `file` is what findings name. Never throws: what cannot be read is a finding. */
export function loadText(text: string, file?: string, options?: LoadOptions): LoadedConfig {
  const loading = new Loading(options);
  loading.addText(text, file);
  return loading.finish();
}

/**
 * Objects of files and of all *.yaml, *.yml, *.json below folders, in sorted order. Gives way to other work between files.
 * Never rejects: what cannot be read is a finding of level error.
 */
export async function loadPaths(paths: readonly string[], options?: LoadOptions): Promise<LoadedConfig> {
  const loading = new Loading(options);
  for (const file of begin(loading, paths)) {
    try {
      const text = tooLarge(loading, file, (await stat(file)).size) ? undefined : await readFile(file, 'utf8');
      if (text !== undefined) loading.addText(text, file);
    } catch (error) {
      loading.report(messages.fileUnreadable, { file }, { file, reason: reasonOf(error) });
    }
    await setImmediate();
  }
  return loading.finish();
}

/** As loadPaths, at once: for start-up, where nothing else runs yet. */
export function loadPathsSync(paths: readonly string[], options?: LoadOptions): LoadedConfig {
  const loading = new Loading(options);
  for (const file of begin(loading, paths)) {
    try {
      if (!tooLarge(loading, file, statSync(file).size)) loading.addText(readFileSync(file, 'utf8'), file);
    } catch (error) {
      loading.report(messages.fileUnreadable, { file }, { file, reason: reasonOf(error) });
    }
  }
  return loading.finish();
}

function begin(loading: Loading, paths: readonly string[]): readonly string[] {
  const { files, unreadable } = findFiles(paths);
  for (const { path, reason } of unreadable) {
    loading.report(messages.fileUnreadable, { file: path }, { file: path, reason });
  }
  return files;
}

function tooLarge(loading: Loading, file: string, sizeBytes: number): boolean {
  const limitBytes = loading.limits.fileSizeBytes;
  if (sizeBytes > limitBytes) loading.report(messages.fileTooLarge, { file }, { file, sizeBytes, limitBytes });
  return sizeBytes > limitBytes;
}
