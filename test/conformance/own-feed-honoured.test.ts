// What Heddle's own translation sends, Heddle's own data plane honours in full: no field of it is reported as ignored.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  CLUSTER_TYPE_URL,
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  ENDPOINT_TYPE_URL,
  LISTENER_TYPE_URL,
  ListenerSchema,
  ROUTE_TYPE_URL,
  type RawResource,
  RouteConfigurationSchema,
  toBinary,
} from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { httpFilterKinds, networkFilterKinds } from '../../packages/core/src/filters/registry.js';
import { buildSnapshot } from '../../packages/core/src/snapshot/build-snapshot.js';
import { createInspector } from '../../packages/core/src/snapshot/resource/resource-inspector.js';
import { viewOf } from '../../packages/core/src/testing/test-view.js';
import { VirtualClock } from '../../packages/core/src/testing/virtual-clock.js';
import { type MeshInput, translatedMesh } from '../support/config/translated-mesh.js';

const folder = (path: string): string => {
  const at = fileURLToPath(new URL(path, import.meta.url));
  const files = readdirSync(at).filter((name) => name.endsWith('.yaml'));
  return files.map((name) => readFileSync(`${at}/${name}`, 'utf8')).join('\n---\n');
};

const bookinfo = folder('../../examples/bookinfo/mesh');
const payment = `${folder('../e2e/payment-service')}
---
apiVersion: v1
kind: Service
metadata: {name: payment-service, namespace: production}
spec: {selector: {app: payment-service}, ports: [{name: http, port: 80, targetPort: 8080}]}
${['v1', 'v2'].map(paymentPod).join('')}`;

function paymentPod(version: string, index: number): string {
  return `
---
apiVersion: v1
kind: Pod
metadata: {name: payment-service-${version}, namespace: production, labels: {app: payment-service, version: ${version}}}
spec: {serviceAccountName: payment-service, containers: [{name: app, image: app, ports: [{containerPort: 8080}]}]}
status: {podIP: 127.0.0.${index + 2}, phase: Running}
`;
}

type Labels = Readonly<Record<string, string>>;

const WORKLOADS: readonly [name: string, yaml: string, namespace: string, labels: Labels][] = [
  ['productpage v1', bookinfo, 'bookinfo', { app: 'productpage', version: 'v1' }],
  ['details v1', bookinfo, 'bookinfo', { app: 'details', version: 'v1' }],
  ['reviews v1', bookinfo, 'bookinfo', { app: 'reviews', version: 'v1' }],
  ['reviews v3', bookinfo, 'bookinfo', { app: 'reviews', version: 'v3' }],
  ['ratings v1', bookinfo, 'bookinfo', { app: 'ratings', version: 'v1' }],
  ['payment-service v1', payment, 'production', { app: 'payment-service', version: 'v1' }],
  ['api-gateway', payment, 'production', { app: 'api-gateway' }],
];

function resourcesOf(input: MeshInput): RawResource[] {
  const { listeners, routes, clusters, endpoints } = translatedMesh(input);
  const raw = (typeUrl: RawResource['typeUrl'], name: string, bytes: Uint8Array) => ({
    typeUrl,
    name,
    version: '1',
    bytes,
  });
  return [
    ...listeners.map(({ name, message }) => raw(LISTENER_TYPE_URL, name, toBinary(ListenerSchema, message))),
    ...routes.map(({ name, message }) => raw(ROUTE_TYPE_URL, name, toBinary(RouteConfigurationSchema, message))),
    ...clusters.map(({ name, message }) => raw(CLUSTER_TYPE_URL, name, toBinary(ClusterSchema, message))),
    ...endpoints.map(({ name, message }) =>
      raw(ENDPOINT_TYPE_URL, name, toBinary(ClusterLoadAssignmentSchema, message)),
    ),
  ];
}

describe('what the own feed sends', () => {
  it.each(WORKLOADS)('to %s is accepted and honoured in full', (_name, yaml, namespace, labels) => {
    const resources = resourcesOf({ yaml, workload: { namespace, labels, serviceAccount: labels['app'] ?? '' } });
    const inspector = createInspector(httpFilterKinds, networkFilterKinds);
    expect(resources.map((raw) => inspector.refusal(raw)).filter((refusal) => refusal !== undefined)).toEqual([]);
    const snapshot = buildSnapshot(viewOf(resources), undefined, {
      filterKinds: httpFilterKinds,
      networkFilterKinds,
      filterState: { stateFor: (_key, create) => create() },
      clock: new VirtualClock(),
    });
    expect(snapshot.unsupported({ complete: true })).toEqual([]);
    expect(snapshot.clusterNames().length).toBeGreaterThan(0);
    expect(snapshot.inbound).toBeDefined();
  });
});
