// The demo's whole story, as `npm run demo -- --json` tells it: seven processes, a feed, a CA.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface ToldStep {
  readonly step: string;
  readonly ok: boolean;
  readonly observed: string;
}

it('tells the story with every step as expected', { timeout: 240_000 }, async () => {
  const demo = spawn(process.execPath, [join(root, 'examples/bookinfo/demo.mjs'), '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(demo, 'exit')) as [number | null];
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Partial<ToldStep>);
  const steps = lines.filter((line): line is ToldStep => line.step !== undefined);
  expect(steps.filter(({ ok }) => !ok).map(({ step, observed }) => `${step}: ${observed}`)).toEqual([]);
  expect(steps.length).toBeGreaterThanOrEqual(14);
  expect(code).toBe(0);
});
