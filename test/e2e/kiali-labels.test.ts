// Caller and service describe one call alike, over mutual TLS and real processes: else Kiali draws the edge twice, or not at all.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseExposition, type Sample } from '../../packages/core/src/testing/prometheus-text.js';
import { eventually } from '../support/eventually.js';
import { startFeed, type FeedProcess } from '../support/processes/feed-process.js';
import { freePort } from '../support/processes/free-port.js';
import { meshFolder, serviceWithPods, strictMutualTls, type MeshFolder } from '../support/processes/mesh-folder.js';
import { startService, type MeshProcess } from '../support/processes/mesh-process.js';

const [frontIp, detailsIp] = ['127.36.1.31', '127.36.1.11'] as const;
/** What Kiali groups by: a difference in any of them makes another edge. */
const KIALI_LABELS = [
  ...['source_cluster', 'source_workload_namespace', 'source_workload'],
  ...['source_canonical_service', 'source_canonical_revision'],
  ...['destination_cluster', 'destination_service_namespace', 'destination_service', 'destination_service_name'],
  ...['destination_workload_namespace', 'destination_workload'],
  ...['destination_canonical_service', 'destination_canonical_revision'],
] as const;

let folder: MeshFolder;
let feed: FeedProcess;
let front: MeshProcess;
let details: MeshProcess;
const admin = new Map<MeshProcess, number>();

async function start(name: string, service: string, version: string, ip: string, port?: number): Promise<MeshProcess> {
  const adminPort = await freePort();
  const child = await startService({
    ...{ name, service, namespace: 'shop', version, ip, feed: `xds://${feed.address}` },
    ...(port === undefined ? {} : { port }),
    env: { HEDDLE_ADMIN: `127.0.0.1:${adminPort}` },
  });
  admin.set(child, adminPort);
  return child;
}

beforeAll(async () => {
  folder = await meshFolder();
  const port = await freePort(detailsIp);
  await folder.write('shop.yaml', [
    ...serviceWithPods('shop', 'details', port, [
      { name: 'details-v2-5d9c7b8f6-abcde', service: 'details', ip: detailsIp, version: 'v2' },
    ]),
    strictMutualTls('shop'),
  ]);
  feed = await startFeed(folder.path);
  details = await start('details-v2-5d9c7b8f6-abcde', 'details', 'v2', detailsIp, port);
  front = await start('front-v1-0', 'front', 'v1', frontIp);
}, 60_000);

afterAll(async () => {
  await Promise.all([...admin.keys()].map((child) => child.stop()));
  await feed.stop();
  await folder.remove();
});

function requestsOf(child: MeshProcess): Promise<Sample> {
  return eventually('the call is counted', async () => {
    const text = await (await fetch(`http://127.0.0.1:${admin.get(child) ?? 0}/metrics`)).text();
    return parseExposition(text).find(({ name }) => name === 'istio_requests_total');
  });
}

const kiali = ({ labels }: Sample) => Object.fromEntries(KIALI_LABELS.map((label) => [label, labels[label]]));

it('both sides give the same thirteen labels, and none is unknown', async () => {
  const [answer] = await front.call({ url: 'http://details/' });
  expect(answer).toMatchObject({ status: 200 });
  // Who serves is for the mesh to know, not for the application.
  expect(Object.keys(answer?.headers ?? {}).filter((name) => name.startsWith('x-envoy-peer'))).toEqual([]);
  const [source, destination] = await Promise.all([requestsOf(front), requestsOf(details)]);
  expect([source.labels['reporter'], destination.labels['reporter']]).toEqual(['source', 'destination']);
  expect(kiali(destination)).toEqual(kiali(source));
  expect(kiali(source)).toMatchObject({
    source_workload: 'front-v1',
    source_canonical_service: 'front',
    source_canonical_revision: 'v1',
    destination_service: 'details.shop.svc.cluster.local',
    destination_service_name: 'details',
    destination_service_namespace: 'shop',
    destination_workload: 'details-v2',
    destination_canonical_revision: 'v2',
  });
  expect(Object.values(kiali(source))).not.toContain('unknown');
  expect(destination.labels).toMatchObject({
    source_principal: 'spiffe://cluster.local/ns/shop/sa/front',
    connection_security_policy: 'mutual_tls',
    response_code: source.labels['response_code'],
    response_flags: source.labels['response_flags'],
    request_protocol: source.labels['request_protocol'],
  });
});
