// Where the served configuration comes from: watched files, or objects built in code.
import { type ConfigEdition, type ConfigObject, FileSource, type FileSourceOptions } from '@heddle/config';

/** Gives editions of the configuration, one after the other, each complete. */
export interface ConfigSource {
  /** For people: `folder ./mesh`, `objects`. */
  readonly name: string;
  /** Gives the first edition at once. The listener may throw; the edition is then refused by the source. */
  start(listener: (edition: ConfigEdition) => void): void;
  close(): void;
}

/** Files and folders of YAML or JSON, watched. */
export function folderSource(paths: readonly string[], options?: FileSourceOptions): ConfigSource {
  const files = new FileSource(paths, options);
  return {
    name: `folder ${paths.join(', ')}`,
    start: (listener) => files.start(listener),
    close: () => files.close(),
  };
}

export interface ObjectSource extends ConfigSource {
  /** Puts other objects in force. Throws when they can't be translated; the former ones then stay. */
  replace(objects: readonly ConfigObject[]): void;
}

export function objectSource(initial: readonly ConfigObject[]): ObjectSource {
  let objects = initial;
  let listen: ((edition: ConfigEdition) => void) | undefined;
  return {
    name: 'objects',
    start(listener) {
      listen = listener;
      listener({ kind: 'good', objects, findings: [] });
    },
    replace(next) {
      listen?.({ kind: 'good', objects: next, findings: [] });
      objects = next;
    },
    close: () => (listen = undefined),
  };
}
