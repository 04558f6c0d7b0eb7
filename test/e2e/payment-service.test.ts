// The payment-service example, pasted as it is into a folder: what its owner and its callers see, over real processes.
import { createConnection } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { CallOutcome, MeshProcess } from '../support/processes/mesh-process.js';
import { startPaymentMesh, type PaymentMesh } from '../support/processes/payment-mesh.js';
import {
  servedByEndpointSlices,
  servedByPods,
  servedByWorkloadEntries,
} from '../support/processes/payment-workloads.js';

const url = 'http://payment-service:8080/charges';
const pasted = ['routing.yaml', 'security.yaml', 'rate-limit.yaml'];
const v1Cluster = 'outbound|8080|v1|payment-service.production.svc.cluster.local';
const gatewayId = 'spiffe://cluster.local/ns/production/sa/api-gateway';

const ok = (answers: readonly CallOutcome[]) => answers.filter(({ status }) => status === 200);
const shareOfV2 = (answers: readonly CallOutcome[]) =>
  answers.filter(({ servedBy }) => servedBy === 'payment-service-v2-0').length / answers.length;
const cluster = async (caller: MeshProcess, name: string) =>
  (await caller.status()).clusters.find((candidate) => candidate.name === name);

/** What a caller without a mesh gets from a raw connection: every byte, and whether it was cut off. */
async function plainCall(host: string, port: number): Promise<{ text: string; reset: boolean }> {
  const socket = createConnection({ host, port });
  let text = '';
  let reset = false;
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', (error: NodeJS.ErrnoException) => (reset = error.code === 'ECONNRESET' || error.code === 'EPIPE'));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.setTimeout(5_000, () => socket.destroy(new Error('the connection was left open')));
  socket.write('GET /charges HTTP/1.1\r\nhost: payment-service\r\n\r\n');
  await closed;
  return { text, reset };
}

describe('payment-service as it is pasted', () => {
  let mesh: PaymentMesh;
  let gateway: MeshProcess;

  beforeAll(async () => {
    mesh = await startPaymentMesh('127.31.1', servedByPods, pasted);
    gateway = await mesh.caller('api-gateway');
  });
  afterAll(() => mesh.stop());

  it('explains 95/5, a timeout of ten seconds and two retries', async () => {
    const { outcome } = await gateway.explain({ url });
    expect(outcome).toMatchObject({ kind: 'forward', timeoutMs: 10_000, retries: 2 });
    if (outcome.kind !== 'forward') return;
    expect(outcome.clusters.map(({ name, share }) => [name, share])).toEqual([
      [v1Cluster, 0.95],
      [v1Cluster.replace('v1', 'v2'), 0.05],
    ]);
    for (const { endpoints } of outcome.clusters)
      for (const { security } of endpoints) expect(security).toContain('mutual TLS');
  });

  it('answers the api-gateway only, in mutual TLS only', async () => {
    const stranger = await mesh.caller('stranger');
    const [denied] = await stranger.call({ url });
    expect(denied).toMatchObject({ status: 403, body: 'RBAC: access denied' });
    const plain = await plainCall(mesh.instances[0]!.ip, mesh.port);
    expect(plain).toEqual({ text: '', reset: true });
    expect((await Promise.all(mesh.all.map((instance) => instance.seen()))).flat()).toEqual([]);
    expect((await gateway.call({ url }))[0]).toMatchObject({ status: 200 });
    const seen = (await Promise.all(mesh.all.map((instance) => instance.seen()))).flat();
    expect(seen.map(({ peer }) => peer)).toEqual([gatewayId]);
  });

  it('gives each instance 100 calls a minute: the 101st gets 429 and is told when to come back', async () => {
    const startMs = performance.now();
    const answers = await gateway.call({ url, times: 260, concurrency: 4 });
    // The bucket fills steadily, 100 tokens in 60 s (Envoy: AtomicTokenBucketImpl): what comes in meanwhile may be spent.
    const refilled = Math.ceil(((performance.now() - startMs) / 60_000) * 100);
    const limited = answers.filter(({ status }) => status === 429);
    expect(ok(answers).length + limited.length).toBe(260);
    for (const { name, ip } of mesh.instances.slice(0, 2)) {
      // The calls of the tests before count too: those that got through, and the stranger's that this instance met.
      const here = ok(answers).filter(({ servedBy }) => servedBy === name).length;
      expect(here).toBeGreaterThanOrEqual(96);
      expect(here).toBeLessThanOrEqual(100 + refilled);
      expect(limited.filter(({ info }) => info?.upstreamAddress === `${ip}:${mesh.port}`).length).toBeGreaterThan(0);
    }
    const { headers = {}, body } = limited[0]!;
    expect(body).toBe('local_rate_limited');
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(headers['x-ratelimit-limit']).toMatch(/^100/);
    expect(headers['x-ratelimit-remaining']).toBe('0');
  });
});

describe('payment-service without the rate limit', () => {
  let mesh: PaymentMesh;
  let gateway: MeshProcess;

  beforeAll(async () => {
    mesh = await startPaymentMesh('127.31.2', servedByPods, ['routing.yaml', 'security.yaml']);
    gateway = await mesh.caller('api-gateway');
  });
  afterEach(async () => {
    for (const instance of mesh.all) await instance.behave({});
  });
  afterAll(() => mesh.stop());

  it('sends 5 % to v2', async () => {
    const answers = await gateway.call({ url, times: 2_000, concurrency: 16 });
    expect(ok(answers)).toHaveLength(2_000);
    expect(Math.abs(shareOfV2(answers) - 0.05)).toBeLessThan(0.025);
  });

  it('retries a GET twice and a POST never when the answer is 503', async () => {
    for (const instance of mesh.all) await instance.behave({ script: [503] });
    const [get] = await gateway.call({ url });
    expect(get).toMatchObject({ status: 200 });
    expect(get?.info?.attempts).toBeGreaterThan(1);
    await Promise.all(mesh.all.map((instance) => instance.seen()));
    for (const instance of mesh.all) await instance.behave({ script: [503, 503] });
    const [post] = await gateway.call({ url, method: 'POST', body: '{"amount":1}' });
    expect(post).toMatchObject({ status: 503, info: { attempts: 1 } });
    const seen = (await Promise.all(mesh.all.map((instance) => instance.seen()))).flat();
    expect(seen.map(({ method, status }) => [method, status])).toEqual([['POST', 503]]);
  });

  it('turns away what 100 connections and 100 waiting calls cannot hold', async () => {
    for (const instance of mesh.all) await instance.behave({ delayMs: 400 });
    const answers = await gateway.call({ url, times: 280, concurrency: 280 });
    const overflowed = answers.filter(({ info }) => info?.flags === 'UO');
    expect(ok(answers).length + overflowed.length).toBe(280);
    expect(overflowed.length).toBeGreaterThan(20);
    // While connections are made their calls count as waiting (Envoy), so that a burst on a cold pool gets fewer than the 200 in.
    const held = ok(answers).filter(({ info }) => info?.cluster === v1Cluster).length;
    expect(held).toBeGreaterThanOrEqual(100);
    expect(held).toBeLessThanOrEqual(200);
    expect((await cluster(gateway, v1Cluster))?.pendingOverflows).toBe(overflowed.length);
  });

  it('ejects an instance after five failures for 30 s, and never more than half', async () => {
    const address = `${mesh.instances[0]!.ip}:${mesh.port}`;
    const brokenOne = async () =>
      (await cluster(gateway, v1Cluster))?.endpoints.find((endpoint) => endpoint.address === address);
    const failedBefore = (await brokenOne())?.failedRequests ?? 0;
    await mesh.v1[0].behave({ status: 503 });
    const answers = await gateway.call({ url, times: 40, concurrency: 1 });
    expect(ok(answers)).toHaveLength(40);
    const broken = await brokenOne();
    expect(broken).toMatchObject({ state: 'ejected', failedRequests: failedBefore + 5 });
    expect(broken?.ejectedForMs).toBeGreaterThan(15_000);
    expect(broken?.ejectedForMs).toBeLessThanOrEqual(30_000);
    await mesh.v1[1].behave({ status: 503 });
    await gateway.call({ url, times: 20, concurrency: 1 });
    const later = await cluster(gateway, v1Cluster);
    expect(later).toMatchObject({ activeEjections: 1 });
    expect(later?.refusedEjections).toBeGreaterThan(0);
  });

  it('delays 10 % by 500 ms and fails 5 % with 503 once the fault block is pasted', async () => {
    await mesh.pasteFault();
    await eventually('the fault is in force', async () =>
      (await gateway.explain({ url })).steps.some(({ reason }) => reason.includes('500')),
    );
    const answers = await gateway.call({ url, times: 1_000, concurrency: 50 });
    const aborted = answers.filter(({ status, info }) => status === 503 && info?.flags.includes('FI'));
    const delayed = answers.filter(({ info }) => info?.flags.includes('DI'));
    expect(ok(answers).length + aborted.length).toBe(1_000);
    expect(Math.abs(aborted.length / 1_000 - 0.05)).toBeLessThan(0.03);
    expect(Math.abs(delayed.length / 1_000 - 0.1)).toBeLessThan(0.045);
    // Timers of Node fire up to a millisecond early.
    expect(delayed.filter(({ durationMs }) => durationMs < 499)).toEqual([]);
    expect(Math.abs(shareOfV2(ok(answers)) - 0.05)).toBeLessThan(0.03);
  });
});

describe.each([
  ['EndpointSlices', servedByEndpointSlices, '127.31.3'],
  ['a ServiceEntry and WorkloadEntries', servedByWorkloadEntries, '127.31.4'],
] as const)('payment-service behind %s', (_, workloads, network) => {
  let mesh: PaymentMesh;
  beforeAll(async () => {
    mesh = await startPaymentMesh(network, workloads, pasted);
  });
  afterAll(() => mesh.stop());

  it('is reached by the gateway over mutual TLS, split by version, closed to others', async () => {
    const gateway = await mesh.caller('api-gateway');
    const { outcome } = await gateway.explain({ url });
    expect(
      outcome.kind === 'forward' && outcome.clusters.map(({ share, endpoints }) => [share, endpoints.length]),
    ).toEqual([
      [0.95, 2],
      [0.05, 1],
    ]);
    const answers = await gateway.call({ url, times: 60, concurrency: 4 });
    expect(ok(answers)).toHaveLength(60);
    expect(new Set(answers.map(({ servedBy }) => servedBy)).size).toBeGreaterThanOrEqual(2);
    const seen = (await Promise.all(mesh.all.map((instance) => instance.seen()))).flat();
    expect(new Set(seen.map(({ peer }) => peer))).toEqual(new Set([gatewayId]));
    const stranger = await mesh.caller('stranger');
    expect((await stranger.call({ url }))[0]).toMatchObject({ status: 403 });
  });
});
