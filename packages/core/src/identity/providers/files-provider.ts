// Certificates from a folder that something else keeps fresh (cert-manager, SPIFFE helper, a Kubernetes secret volume). Swaps by
// symlink or rename are followed; pairs that don't fit together are half-written and wait for the next change.
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../clock.js';
import type { IdentityConnection, IdentityProvider, IdentitySink } from '../identity-provider.js';
import { readSvid } from '../svid.js';
import { trustBundles } from '../trust-bundles.js';
import { splitCertificates } from '../x509/pem.js';

export interface FilesProviderOptions {
  /** Holds `tls.crt`, `tls.key`, `ca.crt` (Kubernetes' names) or `cert-chain.pem`, `key.pem`, `root-cert.pem` (Istio's). */
  readonly directory: string;
  readonly clock: Clock;
}

const layouts = [
  { chain: 'tls.crt', key: 'tls.key', roots: 'ca.crt' },
  { chain: 'cert-chain.pem', key: 'key.pem', roots: 'root-cert.pem' },
] as const;

/** File events come in bursts: read when they have settled. */
const settleMs = 50;
/** Network file systems send no events: look by ourselves this often. */
const pollMs = 10_000;

export function createFilesProvider(options: FilesProviderOptions): IdentityProvider {
  return { name: `files:${options.directory}`, open: (sink) => new FilesConnection(options, sink) };
}

class FilesConnection implements IdentityConnection {
  readonly #options: FilesProviderOptions;
  readonly #sink: IdentitySink;
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #delivered = '';
  #lastFailure = '';
  #phase: 'idle' | 'reading' | 'reading-again' | 'closed' = 'idle';

  constructor(options: FilesProviderOptions, sink: IdentitySink) {
    this.#options = options;
    this.#sink = sink;
    this.#watch();
    void this.#read();
  }

  close(): void {
    this.#phase = 'closed';
    this.#timer?.cancel();
    this.#watcher?.close();
  }

  #watch(): void {
    if (this.#watcher !== undefined) return;
    try {
      // The folder and not the files: a swapped symlink (`..data`) or a rename is an event of the folder.
      const watcher = watch(this.#options.directory, { persistent: false }, () => this.#readIn(settleMs));
      this.#watcher = watcher;
      watcher.on('error', () => {
        watcher.close();
        this.#watcher = undefined;
      });
    } catch {
      // The folder is not there yet; the poll tries again.
    }
  }

  #readIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#watch();
      void this.#read();
    });
  }

  async #read(): Promise<void> {
    if (this.#phase === 'closed') return;
    if (this.#phase !== 'idle') {
      this.#phase = 'reading-again';
      return;
    }
    this.#phase = 'reading';
    const failure = await this.#load();
    // Read by a function: the phase may have changed while the files were read.
    const after = this.#currentPhase();
    if (after === 'closed') return;
    this.#phase = 'idle';
    this.#readIn(after === 'reading-again' ? settleMs : pollMs);
    // A half-written folder is told once, not at every look.
    if (failure !== undefined && failure !== this.#lastFailure) this.#sink.onFailure(failure, pollMs);
    this.#lastFailure = failure ?? '';
  }

  #currentPhase(): 'idle' | 'reading' | 'reading-again' | 'closed' {
    return this.#phase;
  }

  /** Delivers what is new and whole. Returns why it did not deliver; undefined when it did or nothing changed. */
  async #load(): Promise<string | undefined> {
    const files = await readLayout(this.#options.directory);
    if (typeof files === 'string') return files;
    const content = JSON.stringify(files);
    if (content === this.#delivered) return undefined;
    const read = readSvid(files.chain, files.key);
    if (!read.ok) return `${this.#options.directory}: ${read.reason}`;
    if (splitCertificates(files.roots).length === 0)
      return `${this.#options.directory}: the roots file holds no certificate`;
    if (this.#currentPhase() === 'closed') return undefined;
    this.#delivered = content;
    this.#sink.onState({ svid: read.svid, bundles: trustBundles([[read.svid.trustDomain, files.roots]]) });
    return undefined;
  }
}

interface Files {
  readonly chain: string;
  readonly key: string;
  readonly roots: string;
}

/** The files of the first layout that is there, or why none could be read. */
async function readLayout(directory: string): Promise<Files | string> {
  const missing: string[] = [];
  for (const names of layouts) {
    try {
      const read = (name: string) => readFile(join(directory, name), 'utf8');
      const [chain, key, roots] = await Promise.all([read(names.chain), read(names.key), read(names.roots)]);
      return { chain, key, roots };
    } catch (error) {
      missing.push(error instanceof Error ? error.message : String(error));
    }
  }
  return `no key pair and roots in ${directory}: ${missing.join('; ')}`;
}
