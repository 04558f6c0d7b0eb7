// What the data plane notices of a feed: only what changed, in order, and never half an edit.
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CLUSTER_TYPE_URL,
  ENDPOINT_TYPE_URL,
  type FeedNode,
  type FeedSink,
  type FeedState,
  type FeedUpdate,
  LISTENER_TYPE_URL,
  ROUTE_TYPE_URL,
  type RejectedResource,
  SECRET_TYPE_URL,
} from '@heddle/xds';
import { afterEach, describe, expect, it } from 'vitest';
import { loadText } from '../load/load.js';
import { type FeedDiagnostics, configFeed, folderFeed } from './config-feed.js';

const node: FeedNode = {
  id: 'sidecar~127.0.0.1~web-1.default~default.svc.cluster.local',
  cluster: 'web.default',
  locality: { region: '', zone: '', subZone: '' },
  metadata: { NAMESPACE: 'default', LABELS: { app: 'web' } },
};
const service = (name: string, ip: string) => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: default}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}-1, namespace: default, labels: {app: ${name}}}
spec: {containers: []}
status: {podIP: ${ip}}
`;
const broken = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bad, namespace: default}
spec: {hosts: [orders], httpp: []}
`;
const cluster = (name: string) => `outbound|80||${name}.default.svc.cluster.local`;
const objects = (...texts: string[]) => loadText(texts.join(''), 'mesh.yaml').objects;

/** Collects what a feed says; `until` waits for it with the deadline of the test. */
class Collector implements FeedSink {
  readonly updates: FeedUpdate[] = [];
  readonly states: FeedState[] = [];
  readonly missing: string[] = [];
  readonly #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];
  answer: (update: FeedUpdate) => readonly RejectedResource[] | Promise<readonly RejectedResource[]> = () => [];

  onUpdate(update: FeedUpdate) {
    this.updates.push(update);
    this.notify();
    return this.answer(update);
  }
  onMissing(_typeUrl: string, names: readonly string[]): void {
    this.missing.push(...names);
  }
  onState(state: FeedState): void {
    this.states.push(state);
    this.notify();
  }
  notify(): void {
    for (const { done, resolve } of this.#waiting) if (done()) resolve();
  }
  until(done: () => boolean): Promise<void> {
    return done() ? Promise.resolve() : new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }
  named(): string[] {
    return this.updates.flatMap((update) => update.resources.map((resource) => resource.name));
  }
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const misspelt = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: orders, namespace: default}
spec: {hosts: [orders], http: [{route: [{destination: {host: ordrs}}]}]}
`;

describe('findings of analysis', () => {
  it('are told with each edition, of objects and of files alike', () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-feed-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'mesh.yaml'), service('orders', '127.0.3.1') + misspelt);
    const told = [objects(service('orders', '127.0.3.1'), misspelt), [folder]].map((source) => {
      const names: string[] = [];
      const onDiagnostics = ({ findings }: FeedDiagnostics) => names.push(...findings.map(({ name }) => name));
      const feed = typeof source[0] === 'string' ? folderFeed([folder], { onDiagnostics }) : configFeed(objects(service('orders', '127.0.3.1'), misspelt), { onDiagnostics }); // prettier-ignore
      const connection = feed.open(node, new Collector());
      closers.push(() => connection.close());
      return names;
    });
    expect(told).toEqual([['unknown-host'], ['unknown-host']]);
  });
});

describe('a feed of typed objects', () => {
  function opened(...texts: string[]) {
    const feed = configFeed(objects(...texts));
    const sink = new Collector();
    const connection = feed.open(node, sink);
    closers.push(() => connection.close());
    return { feed, sink, connection };
  }

  it('sends the whole world first and then only what changed', () => {
    const { feed, sink, connection } = opened(service('orders', '127.0.0.2'));
    connection.subscribe(CLUSTER_TYPE_URL, '*');
    connection.subscribe(ENDPOINT_TYPE_URL, [cluster('orders')]);
    expect(sink.updates.map((update) => update.kind)).toEqual(['full', 'full']);
    sink.updates.length = 0;
    feed.replace(objects(service('orders', '127.0.0.3')));
    expect(sink.updates).toMatchObject([
      { typeUrl: ENDPOINT_TYPE_URL, kind: 'delta', resources: [{ name: cluster('orders') }] },
    ]);
    sink.updates.length = 0;
    feed.replace(objects(service('orders', '127.0.0.3')));
    expect(sink.updates).toEqual([]);
  });

  it('removes what is gone and adds what is new, clusters before routes', () => {
    const { feed, sink, connection } = opened(service('orders', '127.0.0.2'));
    connection.subscribe(ROUTE_TYPE_URL, ['80']);
    connection.subscribe(CLUSTER_TYPE_URL, '*');
    sink.updates.length = 0;
    feed.replace(objects(service('next', '127.0.0.2')));
    expect(sink.updates.map((update) => update.typeUrl)).toEqual([CLUSTER_TYPE_URL, ROUTE_TYPE_URL]);
    expect(sink.updates[0]).toMatchObject({ removed: [cluster('orders')], resources: [{ name: cluster('next') }] });
  });

  it('tells once that a name does not exist, and serves it when it appears', () => {
    const { feed, sink, connection } = opened(service('orders', '127.0.0.2'));
    connection.subscribe(ENDPOINT_TYPE_URL, [cluster('next')]);
    connection.subscribe(SECRET_TYPE_URL, ['default']);
    expect(sink.missing).toEqual([cluster('next'), 'default']);
    feed.replace(objects(service('orders', '127.0.0.2'), service('next', '127.0.0.3')));
    expect(sink.missing.length).toBe(2);
    expect(sink.named()).toContain(cluster('next'));
  });

  it('serves a subscription made inside an update after that update', () => {
    const { sink, connection } = opened(service('orders', '127.0.0.2'));
    const order: string[] = [];
    sink.answer = ({ typeUrl }) => {
      order.push(`begin ${typeUrl.split('.').at(-1) ?? ''}`);
      if (typeUrl === LISTENER_TYPE_URL) connection.subscribe(ROUTE_TYPE_URL, ['80']);
      order.push('end');
      return [];
    };
    connection.subscribe(LISTENER_TYPE_URL, '*');
    expect(order).toEqual(['begin Listener', 'end', 'begin RouteConfiguration', 'end']);
  });

  it('waits for an update that is taken in slices before the next one', async () => {
    const { sink, connection } = opened(service('orders', '127.0.0.2'));
    const taken = deferred();
    sink.answer = ({ typeUrl }) => (typeUrl === CLUSTER_TYPE_URL ? taken.promise : []);
    connection.subscribe(CLUSTER_TYPE_URL, '*');
    connection.subscribe(LISTENER_TYPE_URL, '*');
    expect(sink.updates.length).toBe(1);
    taken.resolve([]);
    await sink.until(() => sink.updates.length === 2);
    expect(sink.updates[1]?.typeUrl).toBe(LISTENER_TYPE_URL);
  });

  it('says nothing more after it was closed', () => {
    const { feed, sink, connection } = opened(service('orders', '127.0.0.2'));
    connection.subscribe(CLUSTER_TYPE_URL, '*');
    connection.close();
    const before = sink.updates.length;
    feed.replace(objects(service('next', '127.0.0.2')));
    expect(sink.updates.length).toBe(before);
  });
});

describe('a feed of watched files', () => {
  function folder(text: string) {
    const path = mkdtempSync(join(tmpdir(), 'heddle-feed-'));
    closers.push(() => rmSync(path, { recursive: true, force: true }));
    writeFileSync(join(path, 'mesh.yaml'), text);
    return path;
  }

  function opened(path: string) {
    const sink = new Collector();
    const diagnostics: FeedDiagnostics[] = [];
    const onDiagnostics = (found: FeedDiagnostics) => {
      diagnostics.push(found);
      sink.notify();
    };
    const connection = folderFeed([path], { pollIntervalMs: 60, debounceMs: 5, onDiagnostics }).open(node, sink);
    closers.unshift(() => connection.close());
    connection.subscribe(CLUSTER_TYPE_URL, '*');
    return { sink, connection, diagnostics };
  }

  it('is served as soon as it is opened, with the line of each object', () => {
    const { sink, connection } = opened(folder(service('orders', '127.0.0.2')));
    expect(sink.named()).toContain(cluster('orders'));
    expect(connection.originOf(CLUSTER_TYPE_URL, cluster('orders'))).toMatchObject({
      object: 'Service default/orders',
      line: 3,
    });
  });

  it('follows a file that is replaced by a rename', async () => {
    const path = folder(service('orders', '127.0.0.2'));
    const { sink } = opened(path);
    writeFileSync(join(path, 'mesh.yaml.tmp'), service('next', '127.0.0.2'));
    renameSync(join(path, 'mesh.yaml.tmp'), join(path, 'mesh.yaml'));
    await sink.until(() => sink.named().includes(cluster('next')));
    expect(sink.updates.at(-1)?.removed).toContain(cluster('orders'));
  });

  it('follows the symlink swap of a mounted ConfigMap', async () => {
    const path = mkdtempSync(join(tmpdir(), 'heddle-configmap-'));
    closers.push(() => rmSync(path, { recursive: true, force: true }));
    for (const [version, name] of [
      ['..1', 'orders'],
      ['..2', 'next'],
    ] as const) {
      mkdirSync(join(path, version));
      writeFileSync(join(path, version, 'mesh.yaml'), service(name, '127.0.0.2'));
    }
    symlinkSync('..1', join(path, '..data'));
    symlinkSync('..data/mesh.yaml', join(path, 'mesh.yaml'));
    const { sink } = opened(join(path, 'mesh.yaml'));
    expect(sink.named()).toContain(cluster('orders'));
    symlinkSync('..2', join(path, '..tmp'));
    renameSync(join(path, '..tmp'), join(path, '..data'));
    await sink.until(() => sink.named().includes(cluster('next')));
  });

  it('keeps the last good edition when an edit is bad, says where, and takes the mended one', async () => {
    const path = folder(service('orders', '127.0.0.2'));
    const { sink, diagnostics } = opened(path);
    const before = sink.updates.length;
    writeFileSync(join(path, 'mesh.yaml'), service('next', '127.0.0.2') + broken);
    await sink.until(() => diagnostics.some((found) => !found.inForce));
    const refused = diagnostics.find((found) => !found.inForce);
    expect(refused?.findings.find((finding) => finding.level === 'error')?.file).toBe(join(path, 'mesh.yaml'));
    expect(sink.updates.length).toBe(before);
    writeFileSync(join(path, 'mesh.yaml'), service('next', '127.0.0.2'));
    await sink.until(() => sink.named().includes(cluster('next')));
  });

  it('serves nothing from a start with errors until they are mended', async () => {
    const path = folder(service('orders', '127.0.0.2') + broken);
    const { sink } = opened(path);
    expect(sink.updates).toEqual([]);
    expect(sink.states.at(-1)).toMatchObject({ phase: 'disconnected' });
    writeFileSync(join(path, 'mesh.yaml'), service('orders', '127.0.0.2'));
    await sink.until(() => sink.named().includes(cluster('orders')));
    expect(sink.states.at(-1)).toEqual({ phase: 'connected' });
  });
});

function deferred() {
  let resolve: (value: readonly RejectedResource[]) => void = () => undefined;
  const promise = new Promise<readonly RejectedResource[]>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
