// The built `heddle` binary, as an operator and a pipeline use it: exit codes, what goes to which stream, and the documented JSON.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { heddle, startFeed, type FeedProcess } from '../support/processes/feed-process.js';
import { freePort } from '../support/processes/free-port.js';
import { meshFolder, serviceWithPods, strictMutualTls, type MeshFolder } from '../support/processes/mesh-folder.js';
import { startService, type MeshProcess } from '../support/processes/mesh-process.js';
import { startRefusingClient } from '../support/processes/refusing-client.js';

const bookinfo = 'examples/bookinfo/mesh';
const routing = (field: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec:
  hosts: [web]
  http:
    - route: [{ destination: { host: web } }]
      ${field}
`;

/** The documented shapes, as far as the tests read them. */
interface FeedStatusReport {
  readonly clients: readonly { readonly node: string; readonly types: readonly { readonly state: string }[] }[];
}
interface ExplanationReport {
  readonly outbound: { readonly steps: unknown; readonly outcome: { readonly clusters: readonly { share: number }[] } };
  readonly inbound: unknown;
}

let folder: MeshFolder;
const good = () => folder.write('routing.yaml', routing('timeout: 3s'));
const misspelt = () => folder.write('routing.yaml', routing('timeuot: 4s'));

beforeAll(async () => {
  folder = await meshFolder();
  const pods = [{ name: 'web-0', service: 'web', ip: '127.33.1.11' }];
  await folder.write('web.yaml', [...serviceWithPods('shop', 'web', 8080, pods), strictMutualTls('shop')]);
});
afterAll(() => folder.remove());

describe('heddle check', () => {
  it('ends with 0 and says so when there is nothing to find', async () => {
    const { code, stdout, stderr } = await heddle('check', bookinfo);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^0 errors, 0 warn/),
    });
  });

  it('ends with 1 and gives file, line, column, code and the word that was meant', async () => {
    await misspelt();
    const { code, stdout } = await heddle('check', folder.path);
    expect(code).toBe(1);
    expect(stdout).toContain(`${join(folder.path, 'routing.yaml')}:8:7: error HED0101 VirtualService shop/web:`);
    expect(stdout).toContain('did you mean `timeout`?');
  });

  it('gives the same to machines, with the same exit code', async () => {
    await misspelt();
    const { code, stdout } = await heddle('check', '-o', 'json', folder.path);
    expect(code).toBe(1);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ apiVersion: 'heddle/v1', kind: 'CheckReport' });
    expect(report.files).toHaveLength(2);
    expect(report.findings).toEqual([
      expect.objectContaining({
        code: 'HED0101',
        level: 'error',
        object: 'VirtualService shop/web',
        file: join(folder.path, 'routing.yaml'),
        line: 8,
        column: 7,
        suggestion: 'did you mean `timeout`?',
      }),
    ]);
  });

  it('ends with 2 for wrong usage, and names it', async () => {
    for (const args of [['check'], ['check', '-o', 'xml', bookinfo], ['chekc'], []]) {
      const { code, stdout, stderr } = await heddle(...args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).not.toBe('');
    }
  });
});

describe('heddle explain', () => {
  const ask = (...rest: string[]) =>
    heddle('explain', '--mesh', bookinfo, '--as', 'productpage', 'GET', 'http://reviews:9080/reviews/0', ...rest);

  it('tells why each route was taken or not, and the line that it comes from', async () => {
    const { code, stdout } = await ask('-H', 'End-User: jason');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\+ route +jason: .*\(VirtualService bookinfo\/reviews, examples\/bookinfo\/mesh\/reviews\.yaml:8:7\)$/m,
    );
    expect(stdout).toMatch(/^\+ cluster +outbound\|9080\|v2\|reviews\.bookinfo\.svc\.cluster\.local: 100\.0 %/m);
    expect(stdout).toMatch(/^\+ the call is let in$/m);
  });

  it('gives the outcome and both sides as JSON', async () => {
    const { code, stdout } = await ask('-o', 'json');
    expect(code).toBe(0);
    const { outbound, inbound, ...rest } = JSON.parse(stdout) as ExplanationReport;
    expect(rest).toEqual({ apiVersion: 'heddle/v1', kind: 'Explanation' });
    expect(outbound.outcome).toMatchObject({ kind: 'forward', timeoutMs: 10_000, retries: 2 });
    expect(outbound.outcome.clusters.map(({ share }) => share)).toEqual([0.9, 0.1]);
    expect(outbound.steps).toContainEqual(
      expect.objectContaining({
        subject: 'jason',
        verdict: 'rejected',
        origin: expect.objectContaining({ object: 'VirtualService bookinfo/reviews', line: 8 }),
      }),
    );
    expect(inbound).toMatchObject({ workload: 'reviews-v1-0', explanation: { allowed: true } });
  });

  it('says what refuses a caller that no policy allows', async () => {
    const { code, stdout } = await heddle(
      'explain',
      '--mesh',
      bookinfo,
      '--as',
      'details',
      'http://reviews:9080/reviews/0',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^- the call is refused$/m);
  });

  it('ends with 2 for a caller that nobody knows, and lists who is known', async () => {
    const { code, stderr } = await heddle('explain', '--mesh', bookinfo, '--as', 'reveiws', 'http://reviews:9080/');
    expect(code).toBe(2);
    expect(stderr).toContain('reviews/v2');
  });
});

describe('heddle feed and heddle status', () => {
  let feed: FeedProcess;
  let web: MeshProcess;
  const endRefusing: (() => void)[] = [];
  const statusJson = async () => {
    const { code, stdout } = await heddle('status', '--feed', feed.address, '-o', 'json');
    return { code, report: JSON.parse(stdout) as FeedStatusReport };
  };

  beforeAll(async () => {
    await good();
    feed = await startFeed(folder.path);
    const where = { ip: '127.33.1.11', port: await freePort('127.33.1.11') };
    web = await startService({
      name: 'web-0',
      service: 'web',
      namespace: 'shop',
      feed: `xds://${feed.address}`,
      ...where,
    });
  });
  afterAll(async () => {
    for (const end of endRefusing) end();
    await web.stop();
    expect(await feed.stop()).toEqual({ code: 0, signal: null });
  });

  it('keeps the last good version after a bad edit, says where it is bad, and takes the mended one', async () => {
    await misspelt();
    await feed.says(/stays in force.*timeuot/);
    await feed.says(/routing\.yaml/);
    const timeoutMs = async () => {
      const { outcome } = await web.explain({ url: 'http://web/' });
      return outcome.kind === 'forward' ? outcome.timeoutMs : undefined;
    };
    expect(await timeoutMs()).toBe(3_000);
    await folder.write('routing.yaml', routing('timeout: 5s'));
    await eventually('the mended edit arrives', async () => (await timeoutMs()) === 5_000);
  });

  it('shows who is in sync, and ends with 1 once a client refuses what it was sent', async () => {
    const calm = await eventually('everything is acknowledged', async () => {
      const answer = await statusJson();
      return answer.report.clients[0]?.types.every(({ state }) => state === 'SYNCED') && answer;
    });
    expect(calm.code).toBe(0);
    expect(calm.report).toMatchObject({ apiVersion: 'heddle/v1', kind: 'FeedStatus', feed: feed.address });
    const picky = 'sidecar~127.33.1.21~picky-0.shop~shop.svc.cluster.local';
    endRefusing.push(startRefusingClient(feed.address, picky, 'no cluster is good enough'));
    const refused = await eventually('the refusal is known', async () => {
      const answer = await statusJson();
      return answer.code === 1 && answer;
    });
    expect(refused.report.clients.map(({ node }) => node)).toHaveLength(2);
    const { code, stdout } = await heddle('status', 'picky-0', '--feed', feed.address);
    expect(code).toBe(1);
    expect(stdout).toContain(`${picky} refused Cluster: no cluster is good enough`);
    expect(stdout).not.toContain('web-0');
  });

  it('ends with 3 when nobody answers, with 2 when it is not told whom to ask', async () => {
    const { code, stderr } = await heddle('status', '--feed', `127.0.0.1:${await freePort()}`);
    expect(code).toBe(3);
    expect(stderr).toContain('does not answer');
    expect((await heddle('status')).code).toBe(2);
  });

  it('refuses to sign certificates for other hosts without a secret', async () => {
    const { code, stderr } = await heddle('feed', folder.path, '--listen', '0.0.0.0:0');
    expect(code).toBe(2);
    expect(stderr).toContain('--ca-token-file');
  });
});
