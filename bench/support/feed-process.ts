// `heddle feed DIR` as a process, with its certificate authority, on a folder that the benchmark writes.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface FeedProcess {
  /** `xds://127.0.0.1:PORT`. */
  readonly url: string;
  readonly folder: string;
  readonly pid: number;
  /** Replaces one file of the folder by a rename, as editors and config map mounts do. */
  write(name: string, text: string): void;
  stop(): Promise<void>;
}

export async function startFeedProcess(files: Readonly<Record<string, string>>): Promise<FeedProcess> {
  const folder = writeFolder(files);
  const main = fileURLToPath(import.meta.resolve('heddle/package.json')).replace(/package\.json$/, 'dist/main.js');
  const child = fork(main, ['feed', folder, '--listen', '127.0.0.1:0', '-o', 'json'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  const address = await listeningAddress(child);
  return {
    url: `xds://${address}`,
    folder,
    pid: child.pid ?? 0,
    write: (name, text) => writeFileSync(join(folder, name), text),
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A fresh folder with these files. */
export function writeFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text.slice(0, 2_000)));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const address = /"address":"([^"]+)"/.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`heddle feed ended with code ${String(code)}: ${errors}`)));
  });
}
