// What an edit costs: parts whose objects did not change stay the very same messages, and equal workloads share one key.
import { describe, expect, it } from 'vitest';
import { testWorkload } from '../../../../test/support/config/translated-mesh.js';
import { loadText } from '../load/load.js';
import { Reuse } from '../translate/reuse.js';
import { translate } from '../translate/translate.js';
import { buildMeshView } from '../view/mesh-view.js';
import { keepUnchanged } from './keep-unchanged.js';
import { workloadClassKey, workloadOf } from './node-workload.js';

const service = (name: string, ip: string) => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: default}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}-1, namespace: default, labels: {app: ${name}}}
spec: {containers: []}
status: {podIP: ${ip}}
---
`;
const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: default}
spec: {mtls: {mode: STRICT}}
`;
const read = (...texts: string[]) => loadText(texts.join(''), 'mesh.yaml').objects;

describe('an edit', () => {
  const before = read(service('a', '127.0.0.2'), service('b', '127.0.0.3'));
  const edit = (...texts: string[]) => {
    const reuse = new Reuse();
    const view = buildMeshView(before);
    const first = translate(view, testWorkload(), reuse);
    const second = translate(buildMeshView(keepUnchanged(before, read(...texts)), {}, view), testWorkload(), reuse);
    const kept = (name: string) =>
      first.clusters.find((cluster) => cluster.name === name)?.message ===
      second.clusters.find((cluster) => cluster.name === name)?.message;
    return { second, kept };
  };
  const cluster = (name: string) => `outbound|80||${name}.default.svc.cluster.local`;

  it('of one Pod leaves the clusters of other services as they were', () => {
    const { kept, second } = edit(service('a', '127.0.0.9'), service('b', '127.0.0.3'));
    expect(kept(cluster('b'))).toBe(true);
    expect(kept(cluster('a'))).toBe(false);
    expect(
      JSON.stringify(
        second.endpoints.find(({ name }) => name === cluster('a'))?.message.endpoints[0]?.lbEndpoints[0]
          ?.hostIdentifier,
      ),
    ).toContain('127.0.0.9');
  });

  it('of a policy reaches the endpoints of every service that it covers', () => {
    const { second } = edit(service('a', '127.0.0.2'), service('b', '127.0.0.3'), strict);
    for (const name of ['a', 'b']) {
      const found = second.endpoints.find((endpoint) => endpoint.name === cluster(name))?.message.endpoints[0]
        ?.lbEndpoints[0];
      expect(found?.metadata?.filterMetadata['envoy.transport_socket_match']).toEqual({ tlsMode: 'istio' });
    }
  });
});

describe('the key of a workload class', () => {
  const view = buildMeshView(read(service('a', '127.0.0.2')));
  const key = (parts: Parameters<typeof testWorkload>[0]) => workloadClassKey(testWorkload(parts), view);

  it('is one for replicas and two for different services', () => {
    const replica = { labels: { app: 'a', version: 'v1' } };
    expect(key({ ...replica, name: 'a-1', addresses: ['127.0.0.7'] })).toBe(
      key({ ...replica, name: 'a-2', addresses: ['127.0.0.8'] }),
    );
    expect(key({ ...replica })).not.toBe(key({ labels: { app: 'b' } }));
    expect(key({ ...replica })).not.toBe(key({ ...replica, namespace: 'other' }));
  });

  it('does not depend on the order of labels', () => {
    expect(key({ labels: { a: '1', b: '2' } })).toBe(key({ labels: { b: '2', a: '1' } }));
  });

  it('holds what it promises: equal keys, equal resources', () => {
    const [one, two] = ['127.0.0.7', '127.0.0.8'].map((address) =>
      testWorkload({ labels: { app: 'a' }, addresses: [address], name: address }),
    );
    if (one === undefined || two === undefined) return expect.fail('two workloads');
    expect(workloadClassKey(one, view)).toBe(workloadClassKey(two, view));
    expect(translate(view, one)).toEqual(translate(view, two));
  });
});

describe('the workload of a node', () => {
  it('is read from the id and the metadata', () => {
    const workload = workloadOf({
      id: 'sidecar~127.0.0.2~reviews-1.shop~shop.svc.cluster.local',
      cluster: 'reviews.shop',
      locality: { region: 'r', zone: 'z', subZone: '' },
      metadata: {
        LABELS: { app: 'reviews', n: 3 },
        SERVICE_ACCOUNT: 'sa',
        CLUSTER_ID: 'c1',
        INSTANCE_IPS: '127.0.0.2,::1',
      },
    });
    expect(workload).toMatchObject({ namespace: 'shop', name: 'reviews-1', labels: { app: 'reviews' }, serviceAccount: 'sa', clusterId: 'c1', addresses: ['127.0.0.2', '::1'] }); // prettier-ignore
  });

  it('is something sensible for any id', () => {
    const node = { id: 'x', cluster: '', locality: { region: '', zone: '', subZone: '' }, metadata: { LABELS: null } };
    expect(workloadOf(node)).toMatchObject({ namespace: 'default', labels: {}, addresses: [] });
  });
});
