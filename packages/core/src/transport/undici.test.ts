// Importing core must leave the built-in fetch alone; each case runs in a process of its own, on the built package.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const dist = new URL('../../dist/outbound/outbound-client.js', import.meta.url);
const parts = new URL('../../dist/transport/undici.js', import.meta.url);

async function script(body: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', body]);
  return stdout.trim();
}

const SLOT = `globalThis[Symbol.for('undici.globalDispatcher.1')]`;
const SERVE = `
  import { createServer } from 'node:http';
  const server = createServer((_, res) => res.end('ok')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const ask = async () => (await fetch('http://127.0.0.1:' + server.address().port)).text();
`;

describe.skipIf(!existsSync(fileURLToPath(dist)))('importing core (needs the built package)', () => {
  it('does not touch the dispatcher of the built-in fetch', async () => {
    expect(await script(`await import(${JSON.stringify(dist.href)}); console.log(${SLOT} === undefined)`)).toBe('true');
  });

  it('lets the built-in fetch install and keep its own, also after mesh.fetch was loaded', async () => {
    const before = `${SERVE} await ask(); const own = ${SLOT}; (await import(${JSON.stringify(parts.href)})).loadFetch();`;
    expect(await script(`${before} console.log(own === ${SLOT}, await ask()); server.close()`)).toBe('true ok');
    const after = `${SERVE} (await import(${JSON.stringify(parts.href)})).loadFetch(); console.log(await ask(), ${SLOT}?.constructor?.name); server.close()`;
    expect(await script(after)).toBe('ok Agent');
  });
});
