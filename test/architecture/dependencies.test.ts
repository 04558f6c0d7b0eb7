// The house's rules on imports (.dependency-cruiser.cjs), and a proof that the rules can fail.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const temporary: string[] = [];

afterEach(() => {
  for (const folder of temporary.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

function violations(): Violation[] {
  const binary = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const options = { cwd: root, encoding: 'utf8' as const, maxBuffer: 256 * 1024 * 1024 };
  const output = execFileSync(process.execPath, [binary, 'packages', '--output-type', 'json'], options);
  return (JSON.parse(output) as { summary: { violations: Violation[] } }).summary.violations;
}

/** Puts a file into a room for the time of one test. */
function intrude(room: string, code: string): void {
  const folder = mkdtempSync(join(root, room, 'intruder-'));
  temporary.push(folder);
  writeFileSync(join(folder, 'intruder.ts'), code);
}

it('keeps every import within the rules of the house', () => {
  expect(violations().map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
});

it('notices a room that imports what it must not, and a library away from its home', () => {
  intrude('packages/core/src/balance', "import '../../identity/identity-store.js';\nimport 'undici';\n");
  intrude('packages/xds/src', "import '@heddle/core';\n");
  const found = violations().map(({ rule }) => rule.name);
  expect(found).toEqual(expect.arrayContaining(['policies-do-not-meet', 'home-of-undici', 'xds-stands-alone']));
});
