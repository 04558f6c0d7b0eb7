import {
  CLUSTER_TYPE_URL as CDS,
  ENDPOINT_TYPE_URL as EDS,
  type FeedConnection,
  type FeedState,
  type FeedUpdate,
  type ResourceTypeUrl,
} from '@heddle/xds';
import { beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.js';
import { fallbackFeed } from './fallback-feed.js';
import { ScriptedFeed, contentResource } from './testing/scripted-feed.js';

const node = { id: 'n', cluster: 'c', locality: { region: '', zone: '', subZone: '' }, metadata: {} };
let clock: VirtualClock;
let first: ScriptedFeed;
let second: ScriptedFeed;
let updates: FeedUpdate[];
let missing: string[];
let states: FeedState[];
let connection: FeedConnection;

const opened = (feed: ScriptedFeed) => feed.wanted.size > 0;
const lost: FeedState = { phase: 'disconnected', reason: 'refused', retryInMs: 1 };

beforeEach(() => {
  clock = new VirtualClock();
  first = new ScriptedFeed();
  second = new ScriptedFeed();
  updates = [];
  missing = [];
  states = [];
  connection = fallbackFeed([first, second], { clock }).open(node, {
    onUpdate: (update) => {
      updates.push(update);
      return [];
    },
    onMissing: (_type: ResourceTypeUrl, names) => missing.push(...names),
    onState: (state) => states.push(state),
  });
  connection.subscribe(CDS, '*');
});

const seen = () =>
  updates.map(({ kind, resources, removed }) => [
    kind,
    ...resources.map(({ version }) => version),
    ...removed.map((name) => `-${name}`),
  ]);

it('uses the second feed when the first fails before it delivered anything', () => {
  expect(opened(second)).toBe(false);
  first.sink.onState(lost);
  expect(second.wanted.get(CDS)).toBe('*');
  void second.send(CDS, [contentResource(CDS, 'a', 'second')]);
  expect(seen()).toEqual([['full', 'second']]);
  expect(states.at(-1)).toMatchObject({ reason: 'scripted: refused' });
});

it('uses the second feed when the first stays silent', () => {
  clock.advance(4_999);
  expect(opened(second)).toBe(false);
  clock.advance(1);
  expect(opened(second)).toBe(true);
});

it('stays with the first feed once it has delivered, however long it is away', () => {
  void first.send(CDS, [contentResource(CDS, 'a', 'first')]);
  first.sink.onState(lost);
  clock.advance(60_000);
  expect(opened(second)).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

it('returns to the first feed when it comes back, replacing what the second delivered', () => {
  first.sink.onState(lost);
  void second.send(CDS, [contentResource(CDS, 'a', 'second')]);
  connection.subscribe(EDS, ['a']);
  void second.send(EDS, [contentResource(EDS, 'a', 'second')]);
  void first.send(CDS, [contentResource(CDS, 'b', 'first')]);
  expect(second.closed).toBe(true);
  expect(seen().at(-1)).toEqual(['full', 'first']);
  void second.send(CDS, [contentResource(CDS, 'a', 'late')]);
  void first.send(CDS, [], ['b']);
  expect(seen().at(-1)).toEqual(['delta', '-b']);
  first.sink.onMissing(EDS, ['a', 'x']);
  expect(seen().at(-1)).toEqual(['delta', '-a']);
  expect(missing).toEqual(['x']);
});

it('closes every open feed and its timer', () => {
  first.sink.onState(lost);
  connection.close();
  expect([first.closed, second.closed, clock.pendingTimers]).toEqual([true, true, 0]);
});
