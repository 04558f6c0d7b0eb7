// The story: its context, the shape of a step, and the order of the steps.
import type { Mesh } from '@heddle/core';
import type { BookinfoProcesses } from './bookinfo-processes.js';

export interface StoryContext {
  readonly processes: BookinfoProcesses;
  /** The mesh of the caller from outside: identity `gateway`, which may call productpage and details. */
  readonly gateway: Mesh;
  /** A mesh with another identity. */
  meshAs(service: string): Promise<Mesh>;
  /** The folder that the feed watches (a copy of mesh/). */
  readonly meshFolder: string;
  readonly policiesFolder: string;
  /** Notes between steps (the time an endpoint was ejected). */
  readonly notes: Map<string, number>;
}

export interface StepResult {
  readonly ok: boolean;
  /** What was observed, in one line. */
  readonly observed: string;
  /** More lines, e.g. the edges with their identities. */
  readonly details?: readonly string[];
}

export interface Step {
  readonly title: string;
  /** What must be observed. */
  readonly expected: string;
  run(context: StoryContext): Promise<StepResult>;
}

export const PRODUCTPAGE = 'http://productpage:9080/productpage';
export const DETAILS = 'http://details:9080/details/0';
export const JASON = { 'end-user': 'jason' };

export function percent(value: number): string {
  return `${value.toFixed(1)} %`;
}
