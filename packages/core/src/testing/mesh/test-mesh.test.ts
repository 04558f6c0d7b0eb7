// A team's own tests of its service, as createTestMesh lets them be written.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { configFeed, loadText } from '@heddle/config';
import { createTestMesh, type TestMesh, type TestMeshOptions } from './test-mesh.js';

const open: TestMesh[] = [];
afterEach(() => Promise.all(open.splice(0).map((mesh) => mesh.close())));

const pod = (version: string, ip: string) => `
---
apiVersion: v1
kind: Pod
metadata: { name: reviews-${version}, labels: { app: reviews, version: ${version} } }
spec: { serviceAccountName: reviews }
status: { podIP: ${ip} }`;

const services = `
apiVersion: v1
kind: Service
metadata: { name: reviews }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
${pod('v1', '10.0.0.1')}
${pod('v2', '10.0.0.2')}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: reviews
  trafficPolicy:
    outlierDetection: { consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s, maxEjectionPercent: 50 }
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
`;

const route = (http: string) => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
${http}
`;

const retried = route(`
    - route: [{ destination: { host: reviews, subset: v1 } }]
      timeout: 10s
      retries: { attempts: 2, retryOn: 5xx }`);

async function testMesh(yaml: string, options: TestMeshOptions = {}): Promise<TestMesh> {
  const { objects, findings } = loadText(yaml, 'mesh.yaml');
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  const mesh = await createTestMesh({ feed: configFeed(objects), service: { name: 'web' }, ...options });
  open.push(mesh);
  return mesh;
}

const get = (mesh: TestMesh, init?: RequestInit) => mesh.fetch('http://reviews:9080/', init);

describe('outbound', () => {
  it('retries an upstream that answers 503 twice, with back-off in virtual time', async () => {
    const mesh = await testMesh(services + retried, { upstreams: { 'reviews/v1': [503, 503, { body: 'fine' }] } });
    const before = mesh.clock.nowMs();
    const response = await get(mesh);
    expect([response.status, await response.text()]).toEqual([200, 'fine']);
    expect(mesh.calls.map(({ service, version, address, number }) => [service, version, address, number])).toEqual([
      ['reviews', 'v1', '10.0.0.1:9080', 1],
      ['reviews', 'v1', '10.0.0.1:9080', 2],
      ['reviews', 'v1', '10.0.0.1:9080', 3],
    ]);
    expect(mesh.responseInfo(response)?.attempts).toBe(3);
    expect(mesh.clock.nowMs() - before).toBeGreaterThan(0);
    expect(mesh.clock.nowMs() - before).toBeLessThan(200);
  });

  it('does not send a POST twice', async () => {
    const mesh = await testMesh(services + retried, { upstreams: { reviews: [503, 200] } });
    expect((await get(mesh, { method: 'POST', body: 'order' })).status).toBe(503);
    expect(mesh.calls.map(({ body }) => body)).toEqual(['order']);
  });

  it('ends a call by its route’s timeout, ten virtual seconds later', async () => {
    const mesh = await testMesh(services + retried, { upstreams: { reviews: 'hang' } });
    const before = mesh.clock.nowMs();
    const response = await get(mesh);
    expect(response.status).toBe(504);
    expect(mesh.clock.nowMs() - before).toBeGreaterThanOrEqual(10_000);
    expect(mesh.clock.nowMs() - before).toBeLessThan(10_100);
    expect(mesh.calls[0]?.signal.aborted).toBe(true);
  });

  it('gives exactly the same faults for the same seed', async () => {
    const faults = route(`
    - fault: { abort: { percentage: { value: 10 }, httpStatus: 418 } }
      route: [{ destination: { host: reviews, subset: v1 } }]`);
    const faultsOf = async (seed: number) => {
      const mesh = await testMesh(services + faults, { seed, upstreams: { reviews: 200 } });
      const statuses: number[] = [];
      for (let call = 0; call < 100; call++) statuses.push((await get(mesh)).status);
      return statuses.flatMap((status, call) => (status === 418 ? [call] : []));
    };
    const first = await faultsOf(7);
    expect(first.length).toBeGreaterThan(3);
    expect(first.length).toBeLessThan(20);
    expect(await faultsOf(7)).toEqual(first);
    expect(await faultsOf(8)).not.toEqual(first);
  });

  it('ejects after five failures, and takes back after 30 s of virtual time', async () => {
    const mesh = await testMesh(services, { upstreams: { 'reviews/v1': 500, 'reviews/v2': 200 } });
    const failing = () =>
      mesh
        .status()
        .clusters.flatMap(({ endpoints }) => endpoints.filter(({ address }) => address === '10.0.0.1:9080'))[0];
    for (let call = 0; call < 40; call++) await get(mesh);
    expect(failing()?.state).toBe('ejected');
    expect(mesh.calls.filter(({ version }) => version === 'v1')).toHaveLength(5);
    await mesh.advance(29_000);
    expect(failing()?.state).toBe('ejected');
    await mesh.advance(12_000);
    expect(failing()?.state).toBe('healthy');
  });

  it('moves no time by itself where the test wants to move it', async () => {
    const mesh = await testMesh(services + retried, {
      time: 'manual',
      upstreams: { reviews: { body: 'late', delayMs: 400 } },
    });
    let text: string | undefined;
    void get(mesh).then(async (response) => (text = await response.text()));
    await mesh.advance(399);
    expect(text).toBeUndefined();
    await mesh.advance(1);
    expect(text).toBe('late');
  });

  it('waits for the real work of an upstream without moving time', async () => {
    const { readFile } = await import('node:fs/promises');
    const mesh = await testMesh(services + retried, {
      upstreams: { reviews: async () => ({ body: (await readFile('package.json')).length > 0 ? 'read' : '' }) },
    });
    const before = mesh.clock.nowMs();
    expect(await (await get(mesh)).text()).toBe('read');
    expect(mesh.clock.nowMs()).toBe(before);
  });

  it('refuses connections to endpoints that nobody stands for, and says which', async () => {
    const mesh = await testMesh(services + retried, { upstreams: { 'reviews/v2': 200 } });
    await expect(mesh.fetch('http://reviews:9080/', { errors: 'throw' })).rejects.toMatchObject({
      code: 'UPSTREAM_CONNECT',
    });
    const response = await get(mesh);
    expect([response.status, mesh.responseInfo(response)?.flags.includes('UF')]).toEqual([503, true]);
  });

  it('fixes one draw and leaves the rest', async () => {
    const split = route(`
    - route:
        - { destination: { host: reviews, subset: v1 }, weight: 90 }
        - { destination: { host: reviews, subset: v2 }, weight: 10 }`);
    const mesh = await testMesh(services + split, { draws: { 'weighted-cluster': 0.95 }, upstreams: { reviews: 200 } });
    await get(mesh);
    expect(mesh.calls[0]?.version).toBe('v2');
    expect(mesh.explain({ method: 'GET', url: 'http://reviews:9080/' }).outcome.kind).toBe('forward');
  });

  it('leaves no timer behind', async () => {
    const mesh = await testMesh(services + retried, { upstreams: { reviews: 200 } });
    await (await get(mesh)).text();
    await mesh.close();
    await mesh.advance(1_000);
    expect(mesh.clock.pendingTimers).toBe(0);
  });
});

describe('inbound', () => {
  const policies = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web-1, labels: { app: web } }
status: { podIP: 10.0.0.9 }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  rules:
    - from: [{ source: { principals: [cluster.local/ns/default/sa/gateway] } }]
      to: [{ operation: { methods: [GET, POST] } }]
---
${services}${retried}`;
  const gateway = { principal: 'spiffe://cluster.local/ns/default/sa/gateway' };

  const served = async (options: TestMeshOptions = {}) => {
    const mesh = await testMesh(policies, { instanceIp: '10.0.0.9', ...options });
    const application = async (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const reviews = await mesh.fetch('http://reviews:9080/');
      response.end(
        `${request.method ?? ''} ${body} ${request.mesh?.peer?.serviceAccount ?? ''} ${await reviews.text()}`,
      );
    };
    await mesh.serve((request, response) => void application(request, response), 8080);
    return mesh;
  };

  it('lets in whom the policy names, with its body and its trace', async () => {
    const mesh = await served({ upstreams: { reviews: ({ headers }) => ({ body: headers['x-request-id'] ?? '' }) } });
    const headers = { 'x-request-id': 'one' };
    const answer = await mesh.inject({ method: 'POST', path: '/a?b=c', headers, body: 'hi' }, gateway);
    expect([answer.status, answer.body]).toEqual([200, 'POST hi gateway one']);
  });

  it('denies another identity and another method as Envoy does', async () => {
    const mesh = await served();
    const stranger = { principal: 'spiffe://cluster.local/ns/default/sa/stranger' };
    expect(await mesh.inject({}, stranger)).toMatchObject({ status: 403, body: 'RBAC: access denied' });
    expect(await mesh.inject({ method: 'DELETE' }, gateway)).toMatchObject({ status: 403 });
    expect(mesh.calls).toEqual([]);
  });

  it('resets a plain caller under STRICT', async () => {
    const mesh = await served();
    await expect(mesh.inject({})).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('says when nothing is served', async () => {
    const mesh = await testMesh(policies);
    expect(() => mesh.inject({}, gateway)).toThrow(/nothing is served/);
  });
});
