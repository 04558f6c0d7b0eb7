// The same YAML, translated by istiod and by @heddle/config: a sidecar of either must be told the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TranslatedResources, buildMeshView, loadText, translateForNode } from '@heddle/config';
import {
  CLUSTER_TYPE_URL,
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  type DescMessage,
  ENDPOINT_TYPE_URL,
  type FeedNode,
  LISTENER_TYPE_URL,
  ListenerSchema,
  ROUTE_TYPE_URL,
  RouteConfigurationSchema,
  fromBinary,
} from '@heddle/xds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparable } from './comparable.js';
import { type Answers, type IstiodLab, askIstiod, istiodLabBinary, startIstiodLab } from './istiod-lab.js';

const file = (name: string) => join(import.meta.dirname, name);
const binary = istiodLabBinary();

function node(name: string, ip: string, labels: Record<string, string>): FeedNode {
  return {
    id: `sidecar~${ip}~${name}-1.default~default.svc.cluster.local`,
    cluster: `${name}.default`,
    locality: { region: '', zone: '', subZone: '' },
    metadata: {
      NAMESPACE: 'default',
      CLUSTER_ID: 'Kubernetes',
      ISTIO_VERSION: '1.29.2',
      LABELS: labels,
      SERVICE_ACCOUNT: name,
    },
  };
}
const istio = { 'security.istio.io/tlsMode': 'istio' };
const nodes = [
  node('productpage', '127.0.0.31', { app: 'productpage', version: 'v1', ...istio }),
  node('reviews', '127.0.0.11', { app: 'reviews', version: 'v1', ...istio }),
  node('ratings', '127.0.0.21', { app: 'ratings', version: 'v1' }),
];

/** What istiod lists and the own feed does not, or the other way round, and why. */
const KNOWN: Readonly<Record<string, string>> = {
  '127.0.0.1_15080': 'the HTTP proxy listener; nobody calls a Heddle service as a proxy',
  http_proxy: 'its routes',
};

/** Services that are not on port 80: istiod repeats the routes of their VirtualService there, under the full name only. */
const REPEATED_ON_80 = new Set(['grpcsvc.other.svc.cluster.local:80', 'reviews.default.svc.cluster.local:80']);

describe.skipIf(binary === undefined)('resources for a sidecar (needs the istiod lab)', () => {
  let lab: IstiodLab;
  const view = () =>
    buildMeshView(
      loadText(
        ['kubernetes.yaml', 'istio.yaml'].map((name) => readFileSync(file(name), 'utf8')).join('\n---\n'),
        'mesh.yaml',
      ).objects,
    );
  beforeAll(async () => {
    lab = await startIstiodLab(binary ?? '', file('kubernetes.yaml'), file('istio.yaml'));
  });
  afterAll(() => lab.stop());

  for (const asking of nodes) {
    describe(`of ${asking.cluster}`, () => {
      let theirs: Answers;
      let ours: TranslatedResources;
      beforeAll(async () => {
        theirs = await askIstiod(lab, asking);
        ours = translateForNode(view(), asking);
      });
      const pairs = () =>
        [
          ['clusters', CLUSTER_TYPE_URL, ClusterSchema, ours.clusters],
          ['endpoints', ENDPOINT_TYPE_URL, ClusterLoadAssignmentSchema, ours.endpoints],
          ['listeners', LISTENER_TYPE_URL, ListenerSchema, ours.listeners],
          ['routes', ROUTE_TYPE_URL, RouteConfigurationSchema, ours.routes],
        ] as const;

      it.each(['clusters', 'endpoints', 'listeners', 'routes'])('are the same: %s', (kind) => {
        const [, typeUrl, schema, mine] = pairs().find(([name]) => name === kind) ?? expect.fail(kind);
        const expected = byName(theirs.get(typeUrl) ?? [], schema);
        expect(expected.size).toBeGreaterThan(3);
        expect(new Map(mine.map(({ name, message }) => [name, comparable(message)]))).toEqual(expected);
      });
    });
  }
});

interface Named {
  readonly name?: string;
  readonly clusterName?: string;
  virtualHosts?: { readonly name: string }[] | undefined;
}

function byName(resources: readonly Uint8Array[], schema: DescMessage): Map<string, unknown> {
  const decoded = resources.map((bytes) => fromBinary(schema, bytes) as unknown as Named);
  for (const message of decoded) {
    message.virtualHosts = message.virtualHosts?.filter((host) => !REPEATED_ON_80.has(host.name));
  }
  const named = decoded.map((message) => [message.name ?? message.clusterName ?? '', message] as const);
  return new Map(
    named.filter(([name]) => KNOWN[name] === undefined).map(([name, message]) => [name, comparable(message)]),
  );
}
