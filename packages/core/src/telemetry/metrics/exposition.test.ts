import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.js';
import { callRecord } from '../../testing/call-records.js';
import { parseExposition } from '../../testing/prometheus-text.js';
import { createTelemetry } from '../create-telemetry.js';
import { BUCKET_BOUNDS, BUCKET_LABELS, bucketIndex } from './histogram-buckets.js';
import { escapeLabelValue } from './label-text.js';
import { acceptsGzip } from './metrics-listener.js';

const create = () =>
  createTelemetry({
    node: {
      workload: 'productpage-v1',
      namespace: 'default',
      labels: {},
      serviceAccount: 's',
      clusterId: 'Kubernetes',
      trustDomain: 't',
    },
    ownPrincipal: () => undefined,
    clock: systemClock,
    draws: () => 0.5,
  });

describe('text', () => {
  it('buckets hold what is less than or equal to their bound', () => {
    expect(BUCKET_LABELS).toHaveLength(20);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), (value) => {
        const expected = BUCKET_BOUNDS.findIndex((bound) => value <= bound);
        expect(bucketIndex(value)).toBe(expected < 0 ? 19 : expected);
      }),
    );
  });

  it('label values survive escaping', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(
          parseExposition(`m{a="${escapeLabelValue(value)}"} 1`.replace(/[\r\u2028\u2029]/g, ''))[0]!.labels['a'],
        ).toBe(value.replace(/[\r\u2028\u2029]/g, ''));
      }),
    );
  });

  it('registered metrics appear, a failing one is left out, a taken or malformed name is refused', async () => {
    const { metrics } = create();
    const remove = metrics.registerGauge('heddle_feed_connected', 'A "feed"\nis there.', () => [
      { labels: { feed: 'a"b' }, value: 1 },
    ]);
    metrics.registerCounter('broken_total', 'x', () => {
      throw new Error('no');
    });
    expect(() => metrics.registerGauge('heddle_feed_connected', '', () => 1)).toThrow(/exists/);
    expect(() => metrics.registerGauge('a-b', '', () => 1)).toThrow(/malformed/);
    const rendered = await metrics.renderMetrics();
    expect(rendered).toContain('# HELP heddle_feed_connected A "feed"\\nis there.\n');
    expect(rendered).toContain('heddle_feed_connected{feed="a\\"b"} 1\n');
    expect(rendered).not.toContain('broken_total');
    remove();
    expect(await metrics.renderMetrics()).not.toContain('heddle_feed_connected');
  });

  it('gzip is used only when it is taken', () => {
    expect(['gzip', 'br, GZIP;q=0.5', '*'].map(acceptsGzip)).toEqual([true, true, true]);
    expect([undefined, '', 'br', 'gzip;q=0', 'gzip; q=0.0'].map(acceptsGzip)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('a scrape', () => {
  const telemetry = create();
  const server = createServer(telemetry.listener);
  let port = 0;

  beforeAll(async () => {
    for (let count = 0; count < 1000; count++)
      telemetry.outbound.finish(
        callRecord({ endMs: performance.now(), destinationWorkload: `w${String(count)};default;w;v1;Kubernetes` }),
      );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const scrape = (path: string, headers: Record<string, string> = {}) =>
    new Promise<IncomingMessage>((resolve, reject) =>
      get({ host: '127.0.0.1', port, path, headers, agent: false }, resolve).on('error', reject),
    );

  it('of 1,000 label sets, gzipped, does not hold the event loop', async () => {
    // Turns of the loop, not milliseconds: a busy machine must not fail this. bench/telemetry.ts measures the stall itself (goal: 8 ms).
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await telemetry.metrics.renderMetrics();
    running = false;
    expect(turns).toBeGreaterThan(400);
    const response = await scrape('/stats/prometheus', { 'accept-encoding': 'gzip' });
    expect(response.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    });
    let bytes = 0;
    for await (const chunk of response.pipe(createGunzip())) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(40_000_000);
  });

  it('is answered at both paths and refused elsewhere', async () => {
    const plain = await scrape('/metrics?x=1');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(await readText(plain)).toContain('istio_requests_total{reporter="source"');
    expect((await scrape('/')).statusCode).toBe(404);
  });

  it('that is broken off leaves room for the next ones', async () => {
    for (let count = 0; count < 6; count++) {
      const response = await scrape('/metrics');
      expect(response.statusCode).toBe(200);
      const closed = new Promise((resolve) => response.once('close', resolve));
      response.destroy();
      await closed;
    }
  });
});
