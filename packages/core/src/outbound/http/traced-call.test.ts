// What the copies of one call share (retries, mirrors), and what the two sides of a hop tell each other, as the upstream sees it.
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.js';
import { ClusterStates } from '../../cluster-state/cluster-states.js';
import { seededDraws } from '../../draws.js';
import type { HttpFilter } from '../../filters/http-filter.js';
import type { RoutePlan } from '../../snapshot/route-snapshot.js';
import type { ClusterSnapshot } from '../../snapshot/cluster-snapshot.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { OutboundTelemetry } from '../../telemetry/call-telemetry.js';
import { createTelemetry } from '../../telemetry/create-telemetry.js';
import { OutboundClient } from '../outbound-client.js';
import { LiveParts } from '../testing/live-parts.js';
import { cluster, plainSecurity, retryPlan, route, snapshot } from '../testing/snapshot-fixture.js';

const live = new LiveParts();
afterEach(() => live.cleanUp());

/** A client with the product's own telemetry; `finished` are the records of its calls. */
function tracedClient(clusters: readonly ClusterSnapshot[], plan: RoutePlan, changes: Partial<OutboundTelemetry> = {}) {
  const draws = seededDraws(3);
  const node = { workload: 'w', namespace: 'n', labels: {}, serviceAccount: 's', clusterId: 'K', trustDomain: 't' };
  const telemetry = createTelemetry({ node, ownPrincipal: () => undefined, clock: systemClock, draws });
  const finished: CallRecord[] = [];
  const current = snapshot(clusters, () => plan);
  const outbound = new OutboundClient({
    snapshot: () => current,
    states: new ClusterStates(systemClock, draws),
    clock: systemClock,
    draws,
    security: plainSecurity,
    telemetry: { ...telemetry.outbound, finish: (call) => finished.push({ ...call }), ...changes },
  });
  live.onCleanUp(() => outbound.close({ drainMs: 100 }));
  return { outbound, fetch: outbound.fetch, finished };
}

const traceIdOf = (headers: IncomingHttpHeaders) => String(headers['traceparent']).split('-')[1];

describe('the copies of one call', () => {
  it('share a request id and a trace, each with a span of its own', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const mirrors: IncomingHttpHeaders[] = [];
    const { address } = await live.serve((req, res) => {
      seen.push(req.headers);
      res.writeHead(seen.length < 3 ? 503 : 200).end();
    });
    const { address: mirror } = await live.serve((req, res) => {
      mirrors.push(req.headers);
      res.end();
    });
    const retry = retryPlan({ on5xx: true }, { backOffBaseMs: 1 });
    const plan = route({ retry, mirrors: [{ cluster: 'mirror', fraction: 1 }] });
    const { fetch, finished } = tracedClient([cluster('upstream', [address]), cluster('mirror', [mirror])], plan);
    expect((await fetch('http://a/')).status).toBe(200);
    while (finished.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const copies = [...seen, ...mirrors];
    expect(copies).toHaveLength(4);
    expect(new Set(copies.map((headers) => headers['x-request-id'])).size).toBe(1);
    expect(new Set(copies.map(traceIdOf)).size).toBe(1);
    expect(new Set(seen.map((headers) => headers['traceparent'])).size).toBe(3);
  });

  it('each replace the application´s traceparent by their own, under its trace', async () => {
    const seen: (string | undefined)[][] = [];
    const { address } = await live.serve((req, res) => {
      const { rawHeaders } = req;
      seen.push(rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'traceparent'));
      res.writeHead(seen.length === 1 ? 503 : 200).end();
    });
    const plan = route({ retry: retryPlan({ on5xx: true }, { backOffBaseMs: 1 }) });
    const { fetch } = tracedClient([cluster('upstream', [address])], plan);
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await fetch('http://a/', { headers: { Traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    expect(seen.map((each) => each.length)).toEqual([1, 1]);
    for (const [own] of seen) expect(own).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    expect(seen[0]).not.toEqual(seen[1]);
  });

  it('are sent inside what keeps other instrumentations from tracing them again', async () => {
    const { address } = await live.serve((_req, res) => res.end());
    let depth = 0;
    let sends = 0;
    const trace = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), sampled: true };
    const { fetch } = tracedClient([cluster('upstream', [address])], route({}), {
      startAttemptSpan: () => ({
        trace,
        send: (io, ...args) => {
          sends += 1;
          depth += 1;
          const result = io(...args);
          depth -= 1;
          return result;
        },
        end: () => undefined,
      }),
    });
    expect((await fetch('http://a/')).status).toBe(200);
    expect([sends, depth]).toEqual([1, 0]);
  });
});

describe('a hop', () => {
  it('keeps what the upstream says of itself from the application, and tells nobody outside the mesh of this workload', async () => {
    let asked: IncomingHttpHeaders = {};
    const { address } = await live.serve((req, res) => {
      asked = req.headers;
      res.setHeader('x-envoy-peer-metadata', 'CgA=').setHeader('x-envoy-peer-metadata-id', 'sidecar~1').end();
    });
    const { fetch, finished } = tracedClient([cluster('upstream', [address])], route({}));
    const response = await fetch('http://a/');
    expect([...response.headers.keys()].filter((name) => name.includes('peer'))).toEqual([]);
    expect(finished[0]?.peerMetadata).toBe('CgA=');
    expect(Object.keys(asked).filter((name) => name.includes('peer'))).toEqual([]);
  });

  it('shows filters the cluster that the route chose', async () => {
    const { address } = await live.serve((_req, res) => res.end());
    const clusters: (string | undefined)[] = [];
    const filter: HttpFilter = {
      name: 'test',
      typeUrl: 'test',
      decide(request) {
        clusters.push(request.cluster);
        return undefined;
      },
      explain: () => ({ verdict: 'info', reason: '' }),
    };
    const { fetch } = tracedClient([cluster('upstream', [address])], route({}, { filters: [filter] }));
    await fetch('http://a/');
    expect(clusters).toEqual(['upstream']);
  });
});
