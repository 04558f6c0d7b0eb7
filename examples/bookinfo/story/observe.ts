// What the demo observes from outside: each process's admin endpoint (`/status`, `/metrics`).
import type { MeshStatus } from '@heddle/core';
import { ADMIN_PORT, INSTANCES, type InstanceSpec } from './bookinfo-processes.js';

export function instance(name: string): InstanceSpec {
  const spec = INSTANCES.find((candidate) => candidate.name === name);
  if (spec === undefined) throw new Error(`no instance ${name}`);
  return spec;
}

export async function statusOf(spec: InstanceSpec): Promise<MeshStatus> {
  const response = await fetch(`http://${spec.ip}:${ADMIN_PORT}/status`);
  return (await response.json()) as MeshStatus;
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of one metric of a process. */
export async function metricOf(spec: InstanceSpec, name: string): Promise<Sample[]> {
  const response = await fetch(`http://${spec.ip}:${ADMIN_PORT}/metrics`);
  return parseSamples(await response.text()).filter((sample) => sample.name === name);
}

function parseSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) continue;
    const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]);
    samples.push({
      name: match[1] ?? '',
      labels: Object.fromEntries(labels) as Record<string, string>,
      value: Number(match[3]),
    });
  }
  return samples;
}

/** Waits until `condition` holds, asking every 50 ms; false when it does not within the time. */
export async function eventually(condition: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
