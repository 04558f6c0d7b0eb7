// One child process of a test: its output, its end, and how it is stopped (by its id).
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../eventually.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  #output = '';

  /** Nothing of the test's own environment but PATH goes to the child. */
  constructor(script: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    this.process = fork(script, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { PATH: process.env['PATH'], ...env },
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.exited = once(this.process, 'exit').then(([code, signal]: unknown[]) => ({ code, signal }) as Exit);
  }

  /** Everything that it wrote, both streams. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Resolves to the match in the output; rejects with the output when the process ends or the time is over. */
  async says(pattern: RegExp, withinMs = 15_000): Promise<RegExpExecArray> {
    const match = await eventually(
      `${String(pattern)} in the output`,
      () => pattern.exec(this.#output) ?? (this.running ? undefined : 'ended'),
      { withinMs },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#output}`);
    });
    if (match === 'ended') throw new Error(`it ended before it said ${String(pattern)}:\n${this.#output}`);
    return match;
  }

  /** SIGTERM, and SIGKILL for one that has not gone after `withinMs`. */
  async stop(withinMs = 8_000): Promise<Exit> {
    if (this.running) {
      this.process.kill('SIGTERM');
      const hard = setTimeout(() => this.process.kill('SIGKILL'), withinMs);
      await this.exited;
      clearTimeout(hard);
    }
    return this.exited;
  }

  /** As a crash. */
  async kill(): Promise<void> {
    if (this.running) this.process.kill('SIGKILL');
    await this.exited;
  }
}
