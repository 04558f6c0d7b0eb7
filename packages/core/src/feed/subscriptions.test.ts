import {
  CLUSTER_TYPE_URL as CDS,
  ENDPOINT_TYPE_URL as EDS,
  LISTENER_TYPE_URL as LDS,
  ROUTE_TYPE_URL as RDS,
  type RejectedResource,
} from '@heddle/xds';
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.js';
import type { FeedEvent } from './feed-status.js';
import type { ResourceView } from './resource-view.js';
import { Subscriptions, type SubscriptionsOptions } from './subscriptions.js';
import { ScriptedFeed, contentInspector, contentResource } from './testing/scripted-feed.js';

const node = {
  id: 'sidecar~127.0.0.1~a.default~x',
  cluster: 'a',
  locality: { region: '', zone: '', subZone: '' },
  metadata: {},
};
const cluster = (name: string, version = '1') => contentResource(CDS, name, version, [{ typeUrl: EDS, name }]);
const endpoints = (name: string, version = '1', fault?: string) => contentResource(EDS, name, version, [], fault);
const route = (name: string, version: string, clusters: string[]) =>
  contentResource(
    RDS,
    name,
    version,
    clusters.map((to) => ({ typeUrl: CDS, name: to })),
  );
const listener = (name: string, version: string, routes: string[]) =>
  contentResource(
    LDS,
    name,
    version,
    routes.map((to) => ({ typeUrl: RDS, name: to })),
  );

let clock: VirtualClock;
let feed: ScriptedFeed;
let views: ResourceView[];
let events: FeedEvent[];

function open(options: Partial<SubscriptionsOptions> = {}): Subscriptions {
  return new Subscriptions({
    feed,
    node,
    inspector: contentInspector,
    clock,
    onView: (view) => views.push(view),
    onEvent: (event) => events.push(event),
    ...options,
  });
}

/** Cluster `a` behind route table `web` of listener `out`, ready. */
function openReady(): Subscriptions {
  const subscriptions = open();
  void feed.send(CDS, [cluster('a')]);
  void feed.send(EDS, [endpoints('a')]);
  void feed.send(LDS, [listener('out', '1', ['web'])]);
  void feed.send(RDS, [route('web', '1', ['a'])]);
  clock.advance(20);
  expect(subscriptions.ready).toBe(true);
  return subscriptions;
}

const last = () => views.at(-1)!;
const versionsOf = (view: ResourceView) => ({
  clusters: [...view.clusters.values()].map((r) => `${r.name}@${r.version}`).sort(),
  routes: [...view.routes.values()].map((r) => `${r.name}@${r.version}`),
});

beforeEach(() => {
  clock = new VirtualClock();
  feed = new ScriptedFeed();
  views = [];
  events = [];
});

describe('start', () => {
  it('is ready when every cluster has its endpoints and every listener its routes, not before', () => {
    const subscriptions = open();
    expect(feed.wanted.get(CDS)).toBe('*');
    expect(feed.wanted.get(LDS)).toBe('*');
    void feed.send(CDS, [cluster('a')]);
    expect(feed.wanted.get(EDS)).toEqual(['a']);
    void feed.send(LDS, [listener('out', '1', ['web'])]);
    expect(feed.wanted.get(RDS)).toEqual(['web']);
    clock.advance(100);
    expect(views).toEqual([]);
    expect(subscriptions.readyReason()).toMatch(
      /waiting for 0\.1 s for ClusterLoadAssignment a \(needed by Cluster a\), RouteConfiguration web \(needed by Listener out\) from scripted/,
    );
    void feed.send(RDS, [route('web', '1', ['a'])]);
    clock.advance(100);
    expect(subscriptions.ready).toBe(false);
    void feed.send(EDS, [endpoints('a')]);
    clock.advance(100);
    expect(views).toHaveLength(1);
    expect(last()).toMatchObject({ generation: 1 });
    expect([...last().endpoints.keys()]).toEqual(['a']);
    expect(subscriptions.readyReason()).toBeUndefined();
  });

  it('does not hang on endpoints that never come: 15 s, then the rest serves', () => {
    const subscriptions = open();
    void feed.send(CDS, [cluster('a'), cluster('b')]);
    void feed.send(EDS, [endpoints('a')]);
    void feed.send(LDS, []);
    clock.advance(14_900);
    expect(subscriptions.ready).toBe(false);
    clock.advance(200);
    expect(versionsOf(last()).clusters).toEqual(['a@1', 'b@1']);
    void feed.send(EDS, [endpoints('b')]);
    clock.advance(20);
    expect([...last().endpoints.keys()].sort()).toEqual(['a', 'b']);
  });

  it('says that the feed is unreachable, why, and since when', () => {
    const subscriptions = open();
    feed.sink.onState({ phase: 'disconnected', reason: 'UNAVAILABLE: connection refused', retryInMs: 400 });
    clock.advance(4100);
    expect(subscriptions.readyReason()).toBe(
      'no configuration from scripted for 4.1 s: UNAVAILABLE: connection refused (is the feed running, and its address right?)',
    );
  });

  it('starts at once when the feed says that awaited endpoints do not exist', () => {
    const subscriptions = open();
    void feed.send(CDS, [cluster('a')]);
    void feed.send(LDS, []);
    feed.sink.onMissing(EDS, ['a']);
    clock.advance(20);
    expect(subscriptions.ready).toBe(true);
    expect(subscriptions.status().types.find(({ typeUrl }) => typeUrl === EDS)?.missing).toEqual(['a']);
  });
});

describe('make before break', () => {
  it('keeps the former route table until the new cluster has its endpoints', () => {
    openReady();
    void feed.send(CDS, [cluster('b')]);
    void feed.send(RDS, [route('web', '2', ['a', 'b'])]);
    clock.advance(1000);
    expect(versionsOf(last())).toEqual({ clusters: ['a@1'], routes: ['web@1'] });
    void feed.send(EDS, [endpoints('b')]);
    clock.advance(20);
    expect(versionsOf(last())).toEqual({ clusters: ['a@1', 'b@1'], routes: ['web@2'] });
  });

  it('keeps the former route table while it names a cluster that did not arrive, 15 s at most', () => {
    openReady();
    void feed.send(RDS, [route('web', '2', ['a', 'nowhere'])]);
    clock.advance(14_000);
    expect(versionsOf(last()).routes).toEqual(['web@1']);
    clock.advance(1_100);
    expect(versionsOf(last()).routes).toEqual(['web@2']);
    void feed.send(RDS, [route('web', '3', ['a', 'nowhere'])]);
    clock.advance(20);
    expect(versionsOf(last()).routes).toEqual(['web@3']);
  });

  it('keeps a removed cluster while a route names it, and drops it with the route', () => {
    openReady();
    void feed.send(CDS, [cluster('b')], ['a']);
    void feed.send(EDS, [endpoints('b')], ['a']);
    clock.advance(100);
    expect(versionsOf(last())).toEqual({ clusters: ['a@1', 'b@1'], routes: ['web@1'] });
    expect([...last().endpoints.keys()].sort()).toEqual(['a', 'b']);
    void feed.send(RDS, [route('web', '2', ['b'])]);
    clock.advance(100);
    expect(versionsOf(last())).toEqual({ clusters: ['b@1'], routes: ['web@2'] });
    expect([...last().endpoints.keys()]).toEqual(['b']);
    expect(feed.wanted.get(EDS)).toEqual(['b']);
  });

  it('drops a removed cluster after 15 s although a route still names it', () => {
    openReady();
    void feed.send(CDS, [], ['a']);
    clock.advance(14_000);
    expect(versionsOf(last()).clusters).toEqual(['a@1']);
    clock.advance(1_100);
    expect(versionsOf(last()).clusters).toEqual([]);
  });

  it('holds a new listener back until its routes are there, without delaying other changes', () => {
    openReady();
    void feed.send(LDS, [listener('other', '1', ['admin'])]);
    void feed.send(EDS, [endpoints('a', '2')]);
    clock.advance(100);
    expect([...last().listeners.keys()]).toEqual(['out']);
    expect(last().endpoints.get('a')?.version).toBe('2');
    void feed.send(RDS, [route('admin', '1', ['a'])]);
    clock.advance(100);
    expect([...last().listeners.keys()].sort()).toEqual(['other', 'out']);
  });

  it('leaves no timer behind when everything is settled, nor after close', () => {
    const subscriptions = openReady();
    expect(clock.pendingTimers).toBe(0);
    void feed.send(CDS, [cluster('b')]);
    subscriptions.close();
    expect(clock.pendingTimers).toBe(0);
    expect(feed.closed).toBe(true);
  });
});

describe('updates', () => {
  it('refuses one resource by name, keeps its last good version and takes the rest', () => {
    const subscriptions = openReady();
    const answer = feed.send(EDS, [
      endpoints('a', '2', 'ClusterLoadAssignment a: endpoints[0].port: 70000 is no port'),
    ]);
    expect(answer).toEqual([{ name: 'a', message: 'ClusterLoadAssignment a: endpoints[0].port: 70000 is no port' }]);
    clock.advance(20);
    expect(last().endpoints.get('a')?.version).toBe('1');
    expect(subscriptions.status().rejected).toMatchObject([{ name: 'a', version: '2', lastGoodInForce: true }]);
    void feed.send(EDS, [endpoints('a', '2', 'again')]);
    expect(events.filter(({ kind }) => kind === 'rejected')).toHaveLength(1);
    void feed.send(EDS, [endpoints('a', '3')]);
    clock.advance(20);
    expect(last().endpoints.get('a')?.version).toBe('3');
    expect(subscriptions.status().rejected).toEqual([]);
    expect(events.at(-1)).toEqual({ kind: 'recovered', typeUrl: EDS, name: 'a' });
  });

  it('makes no view of an update that changes nothing', () => {
    openReady();
    const before = views.length;
    void feed.send(CDS, [cluster('a')], [], '77');
    void feed.sink.onUpdate({
      typeUrl: LDS,
      kind: 'full',
      version: '77',
      resources: [listener('out', '1', ['web'])],
      removed: [],
    });
    clock.advance(100);
    expect(views).toHaveLength(before);
  });

  it('hands unchanged types over as the identical map', () => {
    openReady();
    const before = last();
    void feed.send(EDS, [endpoints('a', '2')]);
    clock.advance(20);
    expect(last()).not.toBe(before);
    expect(last().clusters).toBe(before.clusters);
    expect(last().endpoints).not.toBe(before.endpoints);
    expect(before.endpoints.get('a')?.version).toBe('1');
  });

  it('makes few views of a flood of 100 pushes and ends with the newest', () => {
    openReady();
    const before = views.length;
    for (let push = 2; push <= 101; push++) {
      void feed.send(EDS, [endpoints('a', String(push))]);
      clock.advance(1);
    }
    clock.advance(20);
    expect(views.length - before).toBeLessThanOrEqual(12);
    expect(last().endpoints.get('a')?.version).toBe('101');
  });

  it('removes what a full update lacks', () => {
    openReady();
    void feed.sink.onUpdate({ typeUrl: LDS, kind: 'full', version: '2', resources: [], removed: [] });
    clock.advance(20);
    expect([...last().listeners.keys()]).toEqual([]);
    expect(feed.wanted.get(RDS)).toEqual([]);
  });

  it('survives an onView that throws', () => {
    const subscriptions = open({
      onView: () => {
        throw new Error('boom');
      },
    });
    void feed.send(CDS, []);
    void feed.send(LDS, []);
    clock.advance(20);
    expect(subscriptions.ready).toBe(true);
    expect(events.map(({ kind }) => kind)).toContain('view-failed');
  });

  it('reads a large update in slices of 2 ms and answers when it is done, in order', async () => {
    let turns = 0;
    open({
      // Each resource costs 1 ms of validation.
      inspector: {
        refusal: (resource) => {
          clock.advance(1);
          return contentInspector.refusal(resource);
        },
        references: (resource) => contentInspector.references(resource),
      },
      yieldTurn: () => {
        turns += 1;
        return Promise.resolve();
      },
    });
    const many = Array.from({ length: 100 }, (_, index) => cluster(`c${index}`));
    const answers: (readonly RejectedResource[])[] = [];
    const first = Promise.resolve(feed.send(CDS, [...many, contentResource(CDS, 'bad', '1', [], 'bad is bad')])).then(
      (a) => answers.push(a),
    );
    const second = Promise.resolve(feed.send(CDS, [], ['c0'])).then((a) => answers.push(a));
    await Promise.all([first, second]);
    expect(turns).toBeGreaterThanOrEqual(45);
    expect(answers).toEqual([[{ name: 'bad', message: 'bad is bad' }], []]);
    expect(feed.wanted.get(EDS)).toHaveLength(99);
  });
});
