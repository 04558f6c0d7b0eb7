// A real Envoy subscribes to `heddle feed` as a sidecar: it takes everything that it is sent, calls Heddle services by it, and is called by them.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testAuthority } from '../../packages/core/src/testing/test-certificates.js';
import { startEnvoySecrets } from '../support/envoy-secrets.js';
import { eventually } from '../support/eventually.js';
import { plainCalls, type PlainAnswer } from '../support/http-calls.js';
import { inboundChain, listIn, listenersIn, refusedIn, type ConfigDump } from '../support/parts/config-dump.js';
import {
  envoyBootstrap,
  httpListener,
  routesOfFeed,
  routesTo,
  staticCluster,
  type EnvoyBootstrapOptions,
  type EnvoyNode,
} from '../support/parts/envoy-bootstrap.js';
import { configDumpOf, networkNamespace } from '../support/parts/envoy-namespace.js';
import { envoyBinary, startEnvoy, type RunningEnvoy } from '../support/parts/envoy.js';
import { secretsOfFeed } from '../support/parts/secrets-of-feed.js';
import { startFeed, type FeedProcess } from '../support/processes/feed-process.js';
import { freePort } from '../support/processes/free-port.js';
import { meshFolder, serviceWithPods, strictMutualTls, type MeshFolder } from '../support/processes/mesh-folder.js';
import { startService, type MeshProcess } from '../support/processes/mesh-process.js';

const part = envoyBinary();
const namespace = networkNamespace();
const missing = [part, namespace].flatMap((one) => (one.available ? [] : [one.reason])).join('; ');

const [v1Ip, v2Ip, frontIp, ledgerIp] = ['127.35.1.11', '127.35.1.12', '127.35.1.31', '127.35.1.41'] as const;
const front: EnvoyNode = { ip: frontIp, pod: 'front-0', namespace: 'shop', service: 'front', labels: { app: 'front' } };
const ledger: EnvoyNode = { ...front, ip: ledgerIp, pod: 'ledger-0', service: 'ledger', labels: { app: 'ledger' } };

const routing = (v1: number) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
    - match: [{ headers: { end-user: { exact: jason } } }]
      route: [{ destination: { host: reviews, subset: v2 } }]
    - route:
        - { destination: { host: reviews, subset: v1 }, weight: ${v1} }
        - { destination: { host: reviews, subset: v2 }, weight: ${100 - v1} }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: shop }
spec:
  host: reviews
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
`;
const allowOnly = (app: string, serviceAccount: string) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: app, namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app } },
    rules: [{ from: [{ source: { principals: [`cluster.local/ns/shop/sa/${serviceAccount}`] } }] }],
  },
});

async function shopFolder(): Promise<{ folder: MeshFolder; reviewsPort: number; ledgerPort: number }> {
  const folder = await meshFolder();
  const [reviewsPort, ledgerPort] = [await freePort(v1Ip), await freePort(ledgerIp)];
  await folder.write('services.yaml', [
    ...serviceWithPods('shop', 'reviews', reviewsPort, [
      { name: 'reviews-v1-0', service: 'reviews', version: 'v1', ip: v1Ip },
      { name: 'reviews-v2-0', service: 'reviews', version: 'v2', ip: v2Ip },
    ]),
    ...serviceWithPods('shop', 'ledger', ledgerPort, [{ name: 'ledger-0', service: 'ledger', ip: ledgerIp }]),
    strictMutualTls('shop'),
    allowOnly('reviews', 'front'),
    allowOnly('ledger', 'auditor'),
  ]);
  await folder.write('routing.yaml', routing(80));
  return { folder, reviewsPort, ledgerPort };
}

describe.skipIf(missing !== '')(missing === '' ? 'a real Envoy' : `a real Envoy (${missing})`, () => {
  let folder: MeshFolder;
  let reviewsPort: number;
  let ledgerPort: number;
  let feed: FeedProcess;
  const closers: (() => unknown)[] = [];
  const binary = part.available ? part.value : '';

  /** Starts an Envoy with a certificate of the feed's CA. */
  async function envoyAs(
    node: EnvoyNode,
    own: Pick<EnvoyBootstrapOptions, 'listeners' | 'clusters'>,
  ): Promise<RunningEnvoy> {
    const secrets = await startEnvoySecrets(await secretsOfFeed(feed.address, node.namespace, node.service));
    closers.push(() => secrets.close());
    const adminPort = await freePort();
    const feedPort = Number(feed.address.split(':')[1]);
    const bootstrap = envoyBootstrap({ node, feedPort, secretsPort: secrets.port, adminPort, ...own });
    const envoy = await startEnvoy(binary, bootstrap, `127.0.0.1:${adminPort}`);
    closers.push(() => envoy.stop());
    return envoy;
  }
  async function service(name: string, ip: string, version?: string): Promise<MeshProcess> {
    const common = { name, ip, namespace: 'shop', feed: `xds://${feed.address}` };
    const child = await startService(
      version === undefined
        ? { ...common, service: name.replace(/-0$/, '') }
        : { ...common, service: 'reviews', version, port: reviewsPort },
    );
    closers.push(() => child.stop());
    return child;
  }

  beforeAll(async () => {
    ({ folder, reviewsPort, ledgerPort } = await shopFolder());
    feed = await startFeed(folder.path);
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
    await feed.stop();
    await folder.remove();
  });

  describe.each(['DELTA_GRPC', 'GRPC'] as const)('over %s', (api) => {
    it.each([
      ['the shop', () => [folder.path], ledger],
      [
        'Bookinfo',
        () => ['examples/bookinfo/mesh', 'examples/bookinfo/policies'],
        {
          ...ledger,
          namespace: 'bookinfo',
          pod: 'details-v1-0',
          service: 'details',
          ip: '127.0.9.20',
          labels: { app: 'details', version: 'v1' },
        },
      ],
    ])('takes every listener, cluster, route and endpoint of %s', async (_, paths, node) => {
      const authority = testAuthority('cluster.local');
      const spiffeId = `spiffe://cluster.local/ns/${node.namespace}/sa/${node.service}`;
      const secrets = { ...authority.issue({ spiffeId }), rootsPem: authority.rootPem };
      const dump = (await configDumpOf({ envoy: binary, paths: paths(), node, secrets, api })) as ConfigDump;
      expect(refusedIn(dump)).toEqual([]);
      const listeners = listenersIn(dump);
      expect(listeners.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['virtualInbound', 'virtualOutbound', expect.stringMatching(/^0\.0\.0\.0_/)]),
      );
      expect(listeners.filter(({ active_state }) => active_state === undefined)).toEqual([]);
      expect(listIn(dump, 'RoutesConfigDump', 'dynamic_route_configs')).toHaveLength(1);
      expect(listIn(dump, 'ClustersConfigDump', 'dynamic_active_clusters').length).toBeGreaterThan(4);
      expect(listIn(dump, 'EndpointsConfigDump', 'dynamic_endpoint_configs').length).toBeGreaterThan(2);
      expect(listIn(dump, 'SecretsConfigDump', 'dynamic_active_secrets')).toHaveLength(2);
    });
  });

  describe('that calls Heddle services', () => {
    let envoy: RunningEnvoy;
    let v1: MeshProcess;
    let v2: MeshProcess;
    let port: number;
    const call = (times: number, headers: Readonly<Record<string, string>> = {}): Promise<readonly PlainAnswer[]> =>
      plainCalls({ host: '127.0.0.1', port, headers: { host: 'reviews', ...headers }, times });
    const shareOfV2 = (answers: readonly PlainAnswer[]) =>
      answers.filter(({ body }) => body.includes('reviews-v2-0')).length / answers.length;

    beforeAll(async () => {
      [v1, v2] = await Promise.all([service('reviews-v1-0', v1Ip, 'v1'), service('reviews-v2-0', v2Ip, 'v2')]);
      port = await freePort();
      // The listeners of the feed bind to every address; this one of our own takes the same routes on loopback.
      const listener = httpListener({ name: 'outbound', host: '127.0.0.1', port, http: routesOfFeed('80') });
      envoy = await envoyAs(front, { listeners: [listener] });
      await eventually('routes and certificates are there', async () => (await call(1))[0]?.status === 200);
    });

    it('splits 80/20 over mutual TLS, and the services see its identity', async () => {
      await Promise.all([v1.seen(), v2.seen()]);
      const answers = await call(2_000);
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(Math.abs(shareOfV2(answers) - 0.2)).toBeLessThan(0.04);
      const peers = new Set((await Promise.all([v1.seen(), v2.seen()])).flat().map(({ peer }) => peer));
      expect([...peers]).toEqual(['spiffe://cluster.local/ns/shop/sa/front']);
    });

    it('sends jason to v2', async () => {
      expect(shareOfV2(await call(50, { 'end-user': 'jason' }))).toBe(1);
    });

    it('follows an edit of the weights without a failed request', async () => {
      await folder.write('routing.yaml', routing(10));
      const dump = async () => (await fetch(`http://${envoy.admin}/config_dump`)).json() as Promise<ConfigDump>;
      await eventually('Envoy has the new weights', async () => /"weight":\s*90\b/.test(JSON.stringify(await dump())));
      const answers = await call(1_000);
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(Math.abs(shareOfV2(answers) - 0.9)).toBeLessThan(0.045);
      expect(refusedIn(await dump())).toEqual([]);
    });
  });

  describe('that Heddle services call', () => {
    let app: Server;
    let auditor: MeshProcess;
    const received: IncomingHttpHeaders[] = [];

    beforeAll(async () => {
      app = createServer((request, response) => {
        received.push(request.headers);
        response.end('paid');
      }).listen(0, '127.0.0.1');
      await once(app, 'listening');
      closers.push(() => app.close());
      const appPort = (app.address() as { port: number }).port;
      const secrets = await secretsOfFeed(feed.address, 'shop', 'ledger');
      const dump = (await configDumpOf({
        envoy: binary,
        paths: [folder.path],
        node: ledger,
        secrets,
        api: 'DELTA_GRPC',
      })) as ConfigDump;
      // As the feed has it for this port, TLS, RBAC and all; only the way to the application is ours (Istio relies on iptables for it).
      const { transportSocket, http } = inboundChain(dump, ledgerPort);
      const listener = httpListener({
        name: 'inbound',
        host: ledgerIp,
        port: ledgerPort,
        transportSocket,
        http: { ...http, ...routesTo('app') },
      });
      await envoyAs(ledger, { listeners: [listener], clusters: [staticCluster('app', '127.0.0.1', appPort)] });
      auditor = await service('auditor-0', '127.35.1.51');
    });

    it('answers over mutual TLS and knows who calls', async () => {
      const [answer] = await auditor.call({ url: 'http://ledger/' });
      expect(answer).toMatchObject({
        status: 200,
        body: 'paid',
        info: { upstreamAddress: `${ledgerIp}:${ledgerPort}` },
      });
      expect(received.at(-1)?.['x-forwarded-client-cert']).toContain('URI=spiffe://cluster.local/ns/shop/sa/auditor');
    });

    it('refuses a caller that the policy does not name', async () => {
      const stranger = await service('stranger-0', '127.35.1.52');
      const [answer] = await stranger.call({ url: 'http://ledger/' });
      expect(answer).toMatchObject({ status: 403, body: 'RBAC: access denied' });
    });
  });
});
