// Change under load: new weights within a second, the feed killed and back, and nobody notices.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failuresOf, load, sharesOf, type Outcome } from '../load.js';
import { eventually } from '../observe.js';
import { PRODUCTPAGE, percent, type Step, type StoryContext } from '../story.js';

export const weightsUnderLoad: Step = {
  title: 'weights 90/10 -> 50/50 under load',
  expected: 'new split (within 5 points) one second after the edit, no failed request',
  async run(context) {
    let editedAtMs = Infinity;
    const enoughAfter = (outcomes: Outcome[]) =>
      outcomes.filter(({ startedAtMs }) => startedAtMs >= editedAtMs + 1_000);
    let stop = false;
    const running = load(context.gateway, { url: PRODUCTPAGE, count: 50_000, concurrency: 12, until: () => stop });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await setWeights(context, 50);
    editedAtMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    stop = true;
    const outcomes = await running;
    const after = enoughAfter(outcomes);
    const { v1 = 0, v3 = 0 } = sharesOf(after);
    const failures = failuresOf(outcomes);
    return {
      ok: Math.abs(v1 - 50) <= 5 && Math.abs(v3 - 50) <= 5 && failures === 0 && after.length > 300,
      observed: `v1 ${percent(v1)}, v3 ${percent(v3)} of ${after.length}; ${failures} of ${outcomes.length} failed`,
    };
  },
};

export const feedKilled: Step = {
  title: 'feed killed',
  expected: 'traffic goes on',
  async run({ gateway, processes }) {
    await processes.killFeed();
    const outcomes = await load(gateway, { url: PRODUCTPAGE, count: 500, concurrency: 8 });
    const failures = failuresOf(outcomes);
    return { ok: failures === 0, observed: `${failures} of ${outcomes.length} failed` };
  },
};

export const feedBack: Step = {
  title: 'feed back',
  expected: 'a change made while it was away arrives: all to v1',
  async run(context) {
    await setWeights(context, 100);
    await context.processes.startFeed();
    const arrived = await eventually(async () => {
      const outcomes = await load(context.gateway, { url: PRODUCTPAGE, count: 40, concurrency: 8 });
      return sharesOf(outcomes)['v1'] === 100;
    }, 40_000);
    const outcomes = await load(context.gateway, { url: PRODUCTPAGE, count: 300, concurrency: 8 });
    const { v1 = 0 } = sharesOf(outcomes);
    return { ok: arrived && v1 === 100 && failuresOf(outcomes) === 0, observed: `v1 ${percent(v1)}` };
  },
};

/** Rewrites the canary's weights in the watched folder, as a platform engineer would with an editor. */
async function setWeights({ meshFolder }: StoryContext, v1: number): Promise<void> {
  const file = join(meshFolder, 'reviews.yaml');
  const text = await readFile(file, 'utf8');
  const weights = [v1, 100 - v1];
  await writeFile(
    file,
    text.replace(/weight: \d+/g, () => `weight: ${String(weights.shift() ?? 0)}`),
  );
}
