// Explanations of configuration that was written in files: each decision names the object and the line that it comes from.
import { configFeed, loadText } from '@heddle/config';
import { afterEach, describe, expect, it } from 'vitest';
import { createMesh } from '../mesh/create-mesh.js';
import type { Mesh } from '../mesh/mesh.js';

const SHOP = `apiVersion: v1
kind: Service
metadata: { name: reviews }
spec:
  selector: { app: reviews }
  ports:
    - { name: tcp-admin, port: 9000 }
    - { name: http, port: 9080 }
---
apiVersion: v1
kind: Service
metadata: { name: details }
spec:
  selector: { app: details }
  ports:
    - { name: http, port: 9080 }
---
apiVersion: v1
kind: Pod
metadata: { name: reviews-v1, labels: { app: reviews } }
spec: {}
status: { podIP: 127.0.5.1 }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
    - match: [{ uri: { prefix: /old } }]
      redirect: { uri: /new }
    - route: [{ destination: { host: reviews, port: { number: 9080 } } }]
      fault: { delay: { fixedDelay: 1s, percentage: { value: 100 } } }
      timeout: 3s
`;

let mesh: Mesh | undefined;

afterEach(async () => {
  await mesh?.close({ drainMs: 0 });
  mesh = undefined;
});

async function joined(yaml: string): Promise<Mesh> {
  const { objects } = loadText(yaml, 'shop.yaml');
  mesh = await createMesh({
    service: { name: 'reviews', labels: { app: 'reviews' } },
    feed: configFeed(objects),
    identity: 'none',
    log: 'silent',
    handleSignals: false,
  });
  return mesh;
}

async function originsOf(url: string): Promise<readonly string[]> {
  const { steps } = (await joined(SHOP)).explain({ url });
  return steps
    .filter(({ stage }) => stage !== 'outcome')
    .map(({ stage, verdict, origin }) => `${stage} ${verdict}: ${origin?.object ?? '-'} ${origin?.line ?? '-'}`);
}

describe('the lines that an explanation points to', () => {
  it('are those of the service, the rules one by one, and the endpoint', async () => {
    expect(await originsOf('http://reviews:9080/a')).toEqual([
      'listener chosen: Service default/reviews 8',
      'virtual-host chosen: VirtualService default/reviews 28',
      'route rejected: VirtualService default/reviews 30',
      'route chosen: VirtualService default/reviews 32',
      'filter info: VirtualService default/reviews 32',
      'policy info: VirtualService default/reviews 32',
      'policy info: VirtualService default/reviews 32',
      'cluster chosen: Service default/reviews 1',
      'endpoint info: Pod default/reviews-v1 18',
    ]);
  });

  it('are those of the service alone where no rule shapes the call, though services share its port', async () => {
    expect((await originsOf('http://details:9080/')).slice(0, 3)).toEqual([
      'listener chosen: Service default/details 16',
      'virtual-host chosen: Service default/details 16',
      'route chosen: Service default/details 16',
    ]);
  });

  it('are those of a TCP port', async () => {
    expect((await originsOf('http://reviews:9000/'))[0]).toBe('listener chosen: Service default/reviews 7');
  });
});

describe('rules that ask for a token that nobody verifies', () => {
  const authentication = `---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt }
spec: { jwtRules: [{ issuer: 'https://issuer.example', jwksUri: 'https://issuer.example/keys' }] }
`;
  const policy = (action: string, source: string) => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: token }
spec: { action: ${action}, rules: [{ from: [{ source: { ${source} } }] }] }
`;
  const token = `Bearer ${['{"alg":"none"}', '{"iss":"https://issuer.example","sub":"me"}', '']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')}`;
  const letIn = async (policies: string) => {
    const joinedMesh = await joined(SHOP + authentication + policies);
    const headers = { authorization: token };
    return joinedMesh.explainInbound({ url: 'http://reviews:9080/', port: 9080, headers }).allowed;
  };

  it('let in nobody by requestPrincipals, and keep out everybody by notRequestPrincipals', async () => {
    expect(await letIn('')).toBe(true);
    expect(await letIn(policy('ALLOW', 'requestPrincipals: ["*"]'))).toBe(false);
    expect(await letIn(policy('ALLOW', 'requestPrincipals: ["https://issuer.example/me"]'))).toBe(false);
    expect(await letIn(policy('DENY', 'notRequestPrincipals: ["*"]'))).toBe(false);
    expect(await letIn(policy('DENY', 'notRequestPrincipals: ["https://issuer.example/*"]'))).toBe(false);
  });
});
