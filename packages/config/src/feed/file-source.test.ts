import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { FileSource, type ConfigEdition } from './file-source.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-source-'));
const file = join(folder, 'services.yaml');
const opened: FileSource[] = [];

afterEach(() => {
  for (const source of opened.splice(0)) source.close();
  rmSync(folder, { recursive: true, force: true });
});

const service = (port: number): string =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { ports: [{ name: http, port: ${port} }] }\n`;

it('never takes a file for empty that an editor empties before it writes', async () => {
  writeFileSync(file, service(1));
  const editions: ConfigEdition[] = [];
  const source = new FileSource([folder], { pollIntervalMs: 60_000, debounceMs: 1 });
  opened.push(source);
  const last = new Promise<void>((resolve) => {
    source.start((edition) => {
      editions.push(edition);
      if (edition.kind === 'good' && JSON.stringify(edition.objects[0]?.spec).includes('"port":40')) resolve();
    });
  });
  for (let port = 2; port <= 40; port += 1) {
    writeFileSync(file, '');
    // Turns of the event loop in which the watcher may look at the empty file.
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    writeFileSync(file, service(port));
  }
  await last;
  expect(editions.map((edition) => (edition.kind === 'good' ? edition.objects.length : edition.kind))).toEqual(
    editions.map(() => 1),
  );
});
