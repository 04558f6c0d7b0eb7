import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startFeedServer } from './ads-server.js';
import { folderSource } from './config-source.js';

const cleanUp: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{name: http, port: 80}]}\n---\n';
const route = (host: string) =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n  hosts: [shop]\n  http:\n  - route: [{destination: {host: ${host}}}]\n`;

async function logOf(yaml: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'feed-log-'));
  cleanUp.push(() => rm(folder, { recursive: true }));
  writeFileSync(join(folder, 'shop.yaml'), yaml);
  const lines: string[] = [];
  const at = (level: string) => (_fields: object, message: string) =>
    lines.push(`${level} ${message.replaceAll(folder, 'mesh')}`);
  const log = { info: () => undefined, warn: at('warn'), error: at('error') };
  const server = await startFeedServer({ source: folderSource([folder]), listen: '127.0.0.1:0', log });
  cleanUp.push(() => server.close());
  return lines;
}

describe("the feed's log", () => {
  it('says each warning once, with its place and the mend', async () => {
    expect(await logOf(service + route('shopp'))).toEqual([
      'warn mesh/shop.yaml:12:28: VirtualService default/shop: spec.http[0].route[0].destination.host: no Service or ServiceEntry has the host shopp (did you mean `shop`?)',
    ]);
  });

  it('says every error of an edit that is refused', async () => {
    expect(await logOf(service + route('shop, colour: red'))).toEqual([
      expect.stringContaining('error edit refused, nothing stays in force'),
      expect.stringMatching(/^error mesh\/shop.yaml:12:\d+: VirtualService default\/shop: .*colour: .*no such field/),
    ]);
  });

  it('is silent about sound configuration', async () => {
    expect(await logOf(service + route('shop'))).toEqual([]);
  });
});
