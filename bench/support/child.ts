// A process of a benchmark: it says when it is ready, answers one question at a time, and ends with the benchmark.
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
}

export class Child {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** Starts `script` (relative to bench/) and resolves with its first message. */
  static async start<Ready>(script: string, spec: unknown, options: ChildOptions = {}): Promise<[Child, Ready]> {
    const process_ = fork(fileURLToPath(new URL(`../${script}`, import.meta.url)), [JSON.stringify(spec)], {
      env: { PATH: process.env['PATH'] ?? '', HEDDLE_LOG: 'warn', ...options.env },
      execArgv: [...(options.nodeOptions ?? [])],
    });
    const child = new Child(process_);
    return [child, (await child.#message()) as Ready];
  }

  /** Sends a question and resolves with the answer. */
  async ask<Answer>(question: unknown): Promise<Answer> {
    const answer = this.#message();
    this.#process.send(question as object);
    return (await answer) as Answer;
  }

  /** The next message that the process sends by itself. */
  async next<Message>(): Promise<Message> {
    return (await this.#message()) as Message;
  }

  /** Keeps the process on one core, where the system has `taskset` and more than one core: wake-ups then cost every variant the same. */
  pin(core: number): void {
    if (availableParallelism() > 1)
      spawnSync('taskset', ['-a', '-c', '-p', String(core), String(this.#process.pid)], { stdio: 'ignore' });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    // A benchmark has nothing to drain; SIGTERM would start the mesh's graceful shutdown.
    this.#process.disconnect();
    const hard = setTimeout(() => this.#process.kill('SIGKILL'), 2_000);
    await gone;
    clearTimeout(hard);
  }

  #message(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`a process ended with code ${String(code)}`));
      this.#process.once('exit', onExit);
      this.#process.once('message', (message) => {
        this.#process.removeListener('exit', onExit);
        resolve(message);
      });
    });
  }
}

/** In the child: what the parent gave it, to be taken as the child's own spec type. */
export const childSpec = (): unknown => JSON.parse(process.argv[2] ?? '{}');

/** In the child: answers every question, and ends when the parent goes. */
export function serveParent(answer: (question: unknown) => unknown): void {
  process.on('message', (question) => {
    void Promise.resolve(answer(question)).then((value) => tellParent(value));
  });
  process.on('disconnect', () => process.exit(0));
}

export const tellParent = (message: unknown): void => void process.send?.(message);
