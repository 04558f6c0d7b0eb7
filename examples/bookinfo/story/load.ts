// A bounded load: a number of requests (or until told to stop) with fixed concurrency, each outcome kept.
import type { Mesh } from '@heddle/core';

export interface Outcome {
  readonly startedAtMs: number;
  readonly tookMs: number;
  readonly status: number;
  /** Version of reviews that answered, where the page showed it. */
  readonly version: string | undefined;
  readonly retryAfter: string | null;
  readonly body: string;
}

export interface LoadOptions {
  readonly url: string;
  readonly count: number;
  readonly concurrency: number;
  readonly headers?: Record<string, string>;
  /** Ends the load early. */
  readonly until?: () => boolean;
}

export async function load(mesh: Mesh, options: LoadOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < options.count && options.until?.() !== true) {
      started += 1;
      outcomes.push(await callOnce(mesh, options));
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return outcomes;
}

async function callOnce(mesh: Mesh, { url, headers }: LoadOptions): Promise<Outcome> {
  const startedAtMs = performance.now();
  const response = await mesh.fetch(url, { headers: headers ?? {} });
  const body = await response.text();
  const tookMs = performance.now() - startedAtMs;
  const version = /"version":"(v\d)"/.exec(body)?.[1];
  return {
    startedAtMs,
    tookMs,
    status: response.status,
    version,
    retryAfter: response.headers.get('retry-after'),
    body,
  };
}

/** Share of each version among the outcomes, in percent. */
export function sharesOf(outcomes: readonly Outcome[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { version } of outcomes) counts.set(version ?? 'none', (counts.get(version ?? 'none') ?? 0) + 1);
  return Object.fromEntries([...counts].map(([version, count]) => [version, (100 * count) / outcomes.length]));
}

export function failuresOf(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ status }) => status !== 200).length;
}
