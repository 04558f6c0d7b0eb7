// gRPC services in a mesh that only YAML describes: identity from the feed's CA, STRICT mutual TLS, authorization by method, retries by status.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Server, credentials, status } from '@grpc/grpc-js';
import type { ServiceError, handleUnaryCall } from '@grpc/grpc-js';
import { createMesh } from '@heddle/core';
import { createDevCa, folderSource, startFeedServer } from '@heddle/feed';
import { meshCallInfo } from '@heddle/grpc';
import { afterEach, expect, test } from 'vitest';

const namespace = 'bookinfo';
const objects = `
apiVersion: v1
kind: Service
metadata: { name: ratings, namespace: bookinfo }
spec: { selector: { app: ratings }, ports: [{ name: grpc, port: 9080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: ratings-v1-0, namespace: bookinfo, labels: { app: ratings } }
spec: { serviceAccountName: ratings }
status: { podIP: 127.0.77.40 }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: bookinfo }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ratings, namespace: bookinfo }
spec:
  selector: { matchLabels: { app: ratings } }
  action: ALLOW
  rules:
    - from: [{ source: { principals: ['cluster.local/ns/bookinfo/sa/reviews'] } }]
      to: [{ operation: { paths: ['/test.Ratings/Get'] } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ratings, namespace: bookinfo }
spec:
  hosts: [ratings]
  http:
    - route: [{ destination: { host: ratings } }]
      timeout: 10s
      retries: { attempts: 2, retryOn: '5xx,reset,connect-failure,unavailable' }
`;

const serialize = (value: string) => Buffer.from(value);
const deserialize = (bytes: Buffer) => bytes.toString();
const method = (name: string) => ({
  path: `/test.Ratings/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startFeed(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-grpc-'));
  ends.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'mesh.yaml'), objects);
  const ca = await createDevCa();
  const feed = await startFeedServer({ source: folderSource([folder]), services: [ca.service] });
  ends.push(() => feed.close());
  return `xds://${feed.address}`;
}

async function workload(feed: string, name: string, instanceIp: string) {
  const service = { name, namespace, labels: { app: name }, serviceAccount: name };
  const mesh = await createMesh({ feed, instanceIp, service, podName: `${name}-v1-0`, handleSignals: false });
  ends.push(() => mesh.close({ drainMs: 1000 }));
  const channelOverride = mesh.channel('ratings:9080');
  const client = new Client('ratings:9080', credentials.createInsecure(), { channelOverride });
  const call = (name: string) =>
    new Promise<string>((resolve, reject) => {
      client.makeUnaryRequest(
        method(name).path,
        serialize,
        deserialize,
        'stars',
        (error: ServiceError | null, reply) => (error ? reject(error) : resolve(reply ?? '')),
      );
    });
  return { mesh, call };
}

test('YAML alone secures, authorises by method and heals a gRPC service', async () => {
  const feed = await startFeed();
  const [ratings, reviews, stranger] = await Promise.all([
    workload(feed, 'ratings', '127.0.77.40'),
    workload(feed, 'reviews', '127.0.77.31'),
    workload(feed, 'stranger', '127.0.77.50'),
  ]);
  let calls = 0;
  const Get: handleUnaryCall<string, string> = (call, reply) => {
    if (calls++ % 3 === 0) reply({ code: status.UNAVAILABLE, details: 'down' });
    else reply(null, meshCallInfo(call)?.peer?.spiffeId ?? 'nobody');
  };
  const Secret: handleUnaryCall<string, string> = (_call, reply) => reply(null, 'told');
  const server = new Server();
  server.addService({ Get: method('Get'), Secret: method('Secret') }, { Get, Secret });
  await ratings.mesh.bindGrpc(server, 9080, '127.0.77.40');
  for (let i = 0; i < 6; i++) expect(await reviews.call('Get')).toBe('spiffe://cluster.local/ns/bookinfo/sa/reviews');
  const denied = { code: status.PERMISSION_DENIED, details: 'RBAC: access denied' };
  await expect(reviews.call('Secret')).rejects.toMatchObject(denied);
  await expect(stranger.call('Get')).rejects.toMatchObject(denied);
  const plain = new Client('127.0.77.40:9080', credentials.createInsecure());
  ends.push(() => plain.close());
  const code = await new Promise((resolve) =>
    plain.makeUnaryRequest(method('Get').path, serialize, deserialize, 'stars', (error) => resolve(error?.code)),
  );
  expect(code).toBe(status.UNAVAILABLE);
});
