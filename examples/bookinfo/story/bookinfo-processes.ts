// Starts and stops the real processes of the demo: the feed (with its CA) and seven service instances, each with nothing but environment.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FinishedSpan } from '../services/tracing.js';

export interface InstanceSpec {
  readonly name: string;
  readonly service: string;
  readonly version: string;
  readonly ip: string;
}

export const ADMIN_PORT = 15_000;

export const INSTANCES: readonly InstanceSpec[] = [
  { name: 'productpage-v1-0', service: 'productpage', version: 'v1', ip: '127.0.9.10' },
  { name: 'details-v1-0', service: 'details', version: 'v1', ip: '127.0.9.20' },
  { name: 'reviews-v1-0', service: 'reviews', version: 'v1', ip: '127.0.9.31' },
  { name: 'reviews-v2-0', service: 'reviews', version: 'v2', ip: '127.0.9.32' },
  { name: 'reviews-v3-0', service: 'reviews', version: 'v3', ip: '127.0.9.33' },
  { name: 'ratings-v1-0', service: 'ratings', version: 'v1', ip: '127.0.9.41' },
  { name: 'ratings-v1-1', service: 'ratings', version: 'v1', ip: '127.0.9.42' },
];

interface ServiceMessage {
  readonly ready?: boolean;
  readonly spans?: readonly FinishedSpan[];
}

export class BookinfoProcesses {
  readonly #instances = new Map<string, ChildProcess>();
  #feed: ChildProcess | undefined;
  readonly spans: FinishedSpan[] = [];

  constructor(
    private readonly meshFolder: string,
    private readonly feedAddress: string,
    private readonly log: (line: string) => void,
  ) {}

  /** The feed: serves the folder over ADS and signs certificates. Resolves when it listens. */
  async startFeed(): Promise<void> {
    const command = fileURLToPath(import.meta.resolve('heddle/package.json')).replace(/package\.json$/, 'dist/main.js');
    const caFolder = `${this.meshFolder}-ca`;
    const feed = fork(command, ['feed', this.meshFolder, '--listen', this.feedAddress, '--ca-dir', caFolder], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#feed = feed;
    this.#forward('feed', feed);
    await untilLine(feed, 'listening', 15_000);
  }

  /** Kills the feed as a crash would. */
  async killFeed(): Promise<void> {
    const feed = this.#feed;
    if (feed === undefined) return;
    this.#feed = undefined;
    const gone = once(feed, 'exit');
    feed.kill('SIGKILL');
    await gone;
  }

  async startServices(): Promise<void> {
    await Promise.all(INSTANCES.map((spec) => this.#start(spec)));
  }

  /** Makes a share of an instance's answers fail. */
  setFailRate(name: string, failRate: number): void {
    this.#instances.get(name)?.send({ failRate });
  }

  async stop(): Promise<void> {
    const all = [...this.#instances.values(), ...(this.#feed === undefined ? [] : [this.#feed])];
    await Promise.all(all.map((child) => stopGracefully(child)));
  }

  async #start(spec: InstanceSpec): Promise<void> {
    const script = fileURLToPath(new URL(`../services/${spec.service}.js`, import.meta.url));
    const child = fork(script, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: environmentOf(spec, this.feedAddress),
    });
    this.#instances.set(spec.name, child);
    this.#forward(spec.name, child);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: ServiceMessage) => {
        if (message.spans !== undefined) this.spans.push(...message.spans);
        if (message.ready === true) resolve();
      });
      child.once('exit', (code) =>
        reject(new Error(`${spec.name} ended with code ${String(code)} before it was ready`)),
      );
    });
  }

  #forward(name: string, child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.trimEnd().split('\n')) this.log(`${name}: ${line}`);
      });
    }
  }
}

function environmentOf(spec: InstanceSpec, feedAddress: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HEDDLE_FEED: `xds://${feedAddress}`,
    HEDDLE_SERVICE: spec.service,
    HEDDLE_NAMESPACE: 'bookinfo',
    HEDDLE_LABELS: `app=${spec.service},version=${spec.version}`,
    HEDDLE_ADMIN: `${spec.ip}:${ADMIN_PORT}`,
    POD_NAME: spec.name,
    INSTANCE_IP: spec.ip,
    REVIEWS_VERSION: spec.version,
  };
}

function untilLine(child: ChildProcess, text: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(
      () => reject(new Error(`the feed did not say "${text}" within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const settle = (error?: Error) => {
      clearTimeout(deadline);
      if (error === undefined) resolve();
      else reject(error);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: string) => {
        if (chunk.includes(text)) settle();
      });
    }
    child.once('exit', (code) => settle(new Error(`the feed ended with code ${String(code)}`)));
  });
}

async function stopGracefully(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const hardStop = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(hardStop);
}
