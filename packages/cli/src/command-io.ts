// What a command may touch of the outside: data goes to `out`, everything else to `err`; nothing else is printed.
import type { Environment } from './environment.js';

export interface CommandIo {
  readonly env: Environment;
  readonly cwd: string;
  /** One line without its newline. */
  out(line: string): void;
  err(line: string): void;
  /** Aborted by SIGINT and SIGTERM. */
  readonly interrupted: AbortSignal;
}

export type OutputFormat = 'table' | 'json';
