// A policy added while everything runs: details holds a noisy client to its rate.
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from '../load.js';
import { eventually } from '../observe.js';
import { DETAILS, type Step } from '../story.js';

const POLICY = 'details-rate-limit.yaml';
const BURST = 60;
const LIMIT = 20;

export const noisyClient: Step = {
  title: 'noisy client',
  expected: `of a burst of ${BURST} calls ${LIMIT} pass, the rest get 429 with Retry-After`,
  async run({ gateway, meshFolder, policiesFolder }) {
    await copyFile(join(policiesFolder, POLICY), join(meshFolder, POLICY));
    const inForce = await eventually(
      async () => (await gateway.fetch(DETAILS)).headers.has('x-ratelimit-limit'),
      5_000,
    );
    // The probes above took tokens; the bucket is full again after one interval of ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 10_100));
    const outcomes = await load(gateway, { url: DETAILS, count: BURST, concurrency: 10 });
    await rm(join(meshFolder, POLICY));
    const passed = outcomes.filter(({ status }) => status === 200).length;
    const limited = outcomes.filter(({ status, retryAfter }) => status === 429 && retryAfter !== null).length;
    const lifted = await eventually(
      async () => !(await gateway.fetch(DETAILS)).headers.has('x-ratelimit-limit'),
      5_000,
    );
    return {
      ok: inForce && lifted && passed === LIMIT && limited === BURST - LIMIT,
      observed: `${passed} passed, ${limited} got 429 with Retry-After ${outcomes.find(({ status }) => status === 429)?.retryAfter ?? '-'}`,
    };
  },
};
