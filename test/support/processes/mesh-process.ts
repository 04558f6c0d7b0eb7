// A child process with a mesh (mesh-service.mjs), and the commands by which a test steers it.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExplainRequest, Explanation, MeshStatus, ResponseInfo } from '@heddle/core';
import { Child } from './child.js';

export interface MeshProcessOptions {
  readonly name: string;
  readonly service: string;
  readonly namespace: string;
  readonly version?: string;
  readonly serviceAccount?: string;
  readonly ip: string;
  /** Serves on ip:port; without it the process only calls. */
  readonly port?: number;
  readonly feed: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What became of one call: an answer, or the code of the error that `mesh.fetch` threw. */
export interface CallOutcome {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly servedBy?: string;
  readonly info?: ResponseInfo;
  readonly error?: string;
  readonly message?: string;
  readonly durationMs: number;
}

export interface CallRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly times?: number;
  readonly concurrency?: number;
}

export interface LoadReport {
  readonly total: number;
  readonly failures: readonly CallOutcome[];
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly peer: string | undefined;
  readonly status: number;
}

interface Answer {
  readonly id?: number;
  readonly ready?: true;
  readonly result?: unknown;
  readonly error?: string;
}

export class MeshProcess extends Child {
  #nextId = 1;

  constructor({ name, service, namespace, version, serviceAccount, ip, port, feed, env }: MeshProcessOptions) {
    super(fileURLToPath(new URL('mesh-service.mjs', import.meta.url)), [], {
      HEDDLE_FEED: feed,
      HEDDLE_SERVICE: service,
      HEDDLE_NAMESPACE: namespace,
      HEDDLE_LABELS: `app=${service}${version === undefined ? '' : `,version=${version}`}`,
      SERVICE_ACCOUNT: serviceAccount ?? service,
      POD_NAME: name,
      INSTANCE_IP: ip,
      ...(port === undefined ? {} : { TEST_PORT: String(port) }),
      ...env,
    });
    // One listener a command in flight.
    this.process.setMaxListeners(100);
  }

  async ready(withinMs = 20_000): Promise<this> {
    const signal = AbortSignal.timeout(withinMs);
    const started = once(this.process, 'message', { signal });
    await Promise.race([
      started,
      this.exited.then(({ code }) => {
        throw new Error(`the service ended with code ${String(code)}:\n${this.output}`);
      }),
    ]).catch((error: unknown) => {
      throw new Error(`the service is not ready: ${String(error)}\n${this.output}`);
    });
    return this;
  }

  call(request: CallRequest): Promise<readonly CallOutcome[]> {
    return this.#command('call', request);
  }
  behave(behaviour: { status?: number; delayMs?: number; script?: readonly number[] }): Promise<void> {
    return this.#command('behave', behaviour);
  }
  /** Requests that the application got since the last question. */
  seen(): Promise<readonly SeenRequest[]> {
    return this.#command('seen');
  }
  status(): Promise<MeshStatus> {
    return this.#command('status');
  }
  explain(request: ExplainRequest): Promise<Explanation> {
    return this.#command('explain', request);
  }
  load(request: CallRequest): Promise<void> {
    return this.#command('load', request);
  }
  loadSoFar(): Promise<LoadReport> {
    return this.#command('loadSoFar');
  }
  stopLoad(): Promise<LoadReport> {
    return this.#command('stopLoad');
  }

  #command<Result>(command: string, argument?: unknown): Promise<Result> {
    const id = this.#nextId++;
    return new Promise<Result>((resolve, reject) => {
      const onMessage = (answer: Answer) => {
        if (answer.id !== id) return;
        this.process.off('message', onMessage);
        if (answer.error === undefined) resolve(answer.result as Result);
        else reject(new Error(answer.error));
      };
      this.process.on('message', onMessage);
      void this.exited.then(() => reject(new Error(`the service ended during ${command}:\n${this.output}`)));
      this.process.send({ id, command, argument });
    });
  }
}

export function startService(options: MeshProcessOptions): Promise<MeshProcess> {
  return new MeshProcess(options).ready();
}
