import { configFeed, loadText } from '@heddle/config';
import { afterEach, describe, expect, it } from 'vitest';
import { createMesh } from '../mesh/create-mesh.js';
import type { Mesh } from '../mesh/mesh.js';

const SHOP = `
apiVersion: v1
kind: Service
metadata: { name: reviews }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: reviews-v1, labels: { app: reviews, version: v1 } }
spec: { serviceAccountName: reviews }
status: { podIP: 127.0.5.1 }
---
apiVersion: v1
kind: Pod
metadata: { name: reviews-v2, labels: { app: reviews, version: v2 } }
spec: { serviceAccountName: reviews }
status: { podIP: 127.0.5.2 }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: reviews
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
    - name: jason
      match: [{ headers: { end-user: { exact: jason } } }]
      route: [{ destination: { host: reviews, subset: v2 } }]
    - name: split
      route:
        - { destination: { host: reviews, subset: v1 }, weight: 75 }
        - { destination: { host: reviews, subset: v2 }, weight: 25 }
      timeout: 3s
      retries: { attempts: 2, retryOn: '5xx' }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: only-get }
spec:
  selector: { matchLabels: { app: reviews } }
  rules:
    - from: [{ source: { principals: [cluster.local/ns/default/sa/shop] } }]
      to: [{ operation: { methods: [GET] } }]
`;

const open: Mesh[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((mesh) => mesh.close()));
});

async function meshOf(service: string, version: string, yaml = SHOP): Promise<Mesh> {
  const feed = configFeed(loadText(yaml, 'shop.yaml').objects);
  const mesh = await createMesh({
    service: { name: service, labels: { version } },
    feed,
    identity: 'none',
    log: 'silent',
    handleSignals: false,
  });
  open.push(mesh);
  return mesh;
}

describe('an explained call', () => {
  it('names every decision down to the endpoint', async () => {
    const mesh = await meshOf('shop', 'v1');
    const { steps, outcome } = mesh.explain({ url: 'http://reviews:9080/reviews/1' });
    expect(steps.map(({ stage, subject, verdict }) => [stage, subject, verdict])).toEqual([
      ['listener', '0.0.0.0_9080', 'chosen'],
      ['virtual-host', 'reviews.default.svc.cluster.local:9080', 'chosen'],
      ['route', 'jason', 'rejected'],
      ['route', 'split', 'chosen'],
      ['policy', 'timeout', 'info'],
      ['policy', 'retries', 'info'],
      ['cluster', 'outbound|9080|v1|reviews.default.svc.cluster.local', 'chosen'],
      ['endpoint', '127.0.5.1:9080', 'info'],
      ['cluster', 'outbound|9080|v2|reviews.default.svc.cluster.local', 'chosen'],
      ['endpoint', '127.0.5.2:9080', 'info'],
      ['outcome', 'forward', 'chosen'],
    ]);
    expect(outcome).toMatchObject({ kind: 'forward', timeoutMs: 3_000, retries: 2 });
    expect(outcome.kind === 'forward' && outcome.clusters.map(({ share }) => share)).toEqual([0.75, 0.25]);
  });

  it('says which field of a passed-over route did not match', async () => {
    const mesh = await meshOf('shop', 'v1');
    const { steps } = mesh.explain({ url: 'http://reviews:9080/', headers: { 'End-User': 'mary' } });
    expect(steps.find(({ subject }) => subject === 'jason')?.reason).toMatch(/end-user.*jason.*mary/);
  });

  it('judges the path that the listener makes of it, as the call would', async () => {
    const yaml = SHOP.replace('- name: split\n', '- name: split\n      match: [{ uri: { prefix: /shop } }]\n');
    const mesh = await meshOf('shop', 'v1', yaml);
    expect(mesh.explain({ url: 'http://reviews:9080/other/../shop/1' }).outcome.kind).toBe('forward');
    expect(mesh.explain({ url: 'http://reviews:9080/shop/../other' }).outcome).toMatchObject({ code: 'NO_ROUTE' });
    expect(mesh.explain({ url: 'http://reviews:9080/shop/%00' }).outcome).toMatchObject({ kind: 'reply', status: 400 });
  });

  it('follows the header route for jason', async () => {
    const mesh = await meshOf('shop', 'v1');
    const { outcome } = mesh.explain({ url: 'http://reviews:9080/', headers: { 'end-user': 'jason' } });
    expect(outcome.kind === 'forward' && outcome.clusters.map(({ name }) => name)).toEqual([
      'outbound|9080|v2|reviews.default.svc.cluster.local',
    ]);
  });

  it('tells that a POST is not repeated once it may have been processed', async () => {
    const mesh = await meshOf('shop', 'v1');
    const retries = (headers: Record<string, string>) =>
      mesh
        .explain({ method: 'POST', url: 'http://reviews:9080/', headers })
        .steps.find(({ subject }) => subject === 'retries');
    expect(retries({})?.reason).toContain('POST is not idempotent');
    expect(retries({ 'idempotency-key': '1' })?.reason).not.toContain('not idempotent');
  });

  it('passes an unknown host through, and refuses a URL that is none', async () => {
    const mesh = await meshOf('shop', 'v1');
    expect(mesh.explain({ url: 'http://elsewhere.example:8080/' }).outcome).toMatchObject({
      kind: 'passthrough',
      host: 'elsewhere.example',
      port: 8080,
    });
    expect(() => mesh.explain({ url: '/reviews' })).toThrow(/absolute/);
  });

  it('says 503 and where it would have gone when a version has no instance', async () => {
    const mesh = await meshOf('shop', 'v1', SHOP.replace('version: v2 } }\nspec', 'version: v9 } }\nspec'));
    const { outcome } = mesh.explain({ url: 'http://reviews:9080/', headers: { 'end-user': 'jason' } });
    expect(outcome).toMatchObject({ kind: 'error', code: 'NO_HEALTHY_UPSTREAM', status: 503 });
    expect(outcome.kind === 'error' && outcome.clusters?.[0]?.name).toContain('|v2|');
  });
});

describe('an explained inbound request', () => {
  const SHOP_PRINCIPAL = 'spiffe://cluster.local/ns/default/sa/shop';

  it('lets the allowed caller in and names the policy', async () => {
    const mesh = await meshOf('reviews', 'v1');
    const { allowed, steps } = mesh.explainInbound({ url: 'http://reviews:9080/', principal: SHOP_PRINCIPAL });
    expect(allowed).toBe(true);
    expect(steps.find(({ stage }) => stage === 'policy')?.subject).toContain('policy[only-get]');
  });

  it.each([
    ['another method', { method: 'DELETE', principal: SHOP_PRINCIPAL }],
    ['another identity', { principal: 'spiffe://cluster.local/ns/default/sa/other' }],
    ['plain text under STRICT', {}],
  ])('refuses %s', async (_name, request) => {
    const mesh = await meshOf('reviews', 'v1');
    expect(mesh.explainInbound({ url: 'http://reviews:9080/', ...request }).allowed).toBe(false);
  });
});
