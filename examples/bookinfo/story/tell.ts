// Runs the steps in order and reports each: a line for people, a JSON object a line for machines.
import { canarySplit, headerRoute } from './steps/routing.js';
import { mutualTls, plainCaller, wrongIdentity } from './steps/security.js';
import { noisyClient } from './steps/rate-limit.js';
import { comesBack, ejection, faults, retriesHeal } from './steps/resilience.js';
import { feedBack, feedKilled, weightsUnderLoad } from './steps/change.js';
import { oneTrace } from './steps/trace.js';
import type { Step, StepResult, StoryContext } from './story.js';

/** The ejected endpoint stays away for thirty seconds, so its return is checked near the end. */
const STEPS: readonly Step[] = [
  canarySplit,
  headerRoute,
  mutualTls,
  plainCaller,
  wrongIdentity,
  oneTrace,
  ejection,
  faults,
  noisyClient,
  weightsUnderLoad,
  feedKilled,
  feedBack,
  comesBack,
  retriesHeal,
];

export interface Telling {
  readonly json: boolean;
  readonly print: (line: string) => void;
}

/** Tells the whole story; returns the titles of the steps that failed. */
export async function tellStory(context: StoryContext, { json, print }: Telling): Promise<string[]> {
  const failed: string[] = [];
  const startedAtMs = performance.now();
  for (const step of STEPS) {
    const result = await runStep(step, context);
    if (!result.ok) failed.push(step.title);
    for (const line of json ? [asJson(step, result)] : asLines(step, result)) print(line);
  }
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
  const passed = STEPS.length - failed.length;
  print(json ? JSON.stringify({ passed, failed }) : `\n${passed} of ${STEPS.length} steps as expected, ${seconds} s`);
  if (!json && failed.length > 0) print(`failed: ${failed.join(', ')}`);
  return failed;
}

async function runStep(step: Step, context: StoryContext): Promise<StepResult> {
  try {
    return await step.run(context);
  } catch (error) {
    return { ok: false, observed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function asLines(step: Step, { ok, observed, details = [] }: StepResult): string[] {
  const mark = ok ? 'ok  ' : 'FAIL';
  const lines = [`${mark} ${step.title.padEnd(40)} ${observed}`];
  if (!ok) lines.push(`     expected: ${step.expected}`);
  return [...lines, ...details.map((detail) => `       ${detail}`)];
}

function asJson(step: Step, result: StepResult): string {
  return JSON.stringify({ step: step.title, expected: step.expected, ...result });
}
