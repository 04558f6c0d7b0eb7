// Routing: the canary's split, and the header route.
import { failuresOf, load, sharesOf } from '../load.js';
import { JASON, PRODUCTPAGE, percent, type Step } from '../story.js';

export const canarySplit: Step = {
  title: 'canary 90/10',
  expected: 'v1 90 %, v3 10 %, each within 3 points over 2,000 requests',
  async run({ gateway }) {
    const outcomes = await load(gateway, { url: PRODUCTPAGE, count: 2_000, concurrency: 16 });
    const { v1 = 0, v3 = 0 } = sharesOf(outcomes);
    const failures = failuresOf(outcomes);
    return {
      ok: Math.abs(v1 - 90) <= 3 && Math.abs(v3 - 10) <= 3 && failures === 0,
      observed: `v1 ${percent(v1)}, v3 ${percent(v3)}, ${failures} failed`,
    };
  },
};

export const headerRoute: Step = {
  title: 'end-user: jason',
  expected: 'always v2',
  async run({ gateway }) {
    const outcomes = await load(gateway, { url: PRODUCTPAGE, count: 200, concurrency: 8, headers: JASON });
    const { v2 = 0 } = sharesOf(outcomes);
    return { ok: v2 === 100, observed: `v2 ${percent(v2)} of ${outcomes.length}` };
  },
};
