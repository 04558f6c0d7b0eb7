// What survives a change of the configuration: compiled virtual hosts, and what filters remember.
import {
  AnySchema,
  HttpConnectionManagerSchema,
  type JsonValue,
  LISTENER_TYPE_URL,
  ListenerSchema,
  LocalRateLimitSchema,
  ROUTE_TYPE_URL,
  type RawResource,
  RouteConfigurationSchema,
  create,
  fromJson,
  packAny,
  toBinary,
} from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { ClusterStates } from '../cluster-state/cluster-states.js';
import { seededDraws } from '../draws.js';
import type { FilterRequest } from '../filters/http-filter.js';
import { localRateLimitFilterKind } from '../filters/local-rate-limit-filter.js';
import { rawResource, viewOf } from '../testing/test-view.js';
import { VirtualClock } from '../testing/virtual-clock.js';
import { buildSnapshot, heldFilterStates } from './build-snapshot.js';
import type { RoutePlan } from './route-snapshot.js';
import type { Snapshot } from './snapshot.js';

const LIMIT = 'envoy.filters.http.local_ratelimit';

const limit = (tokens: number) =>
  packAny(
    LocalRateLimitSchema,
    fromJson(LocalRateLimitSchema, {
      stat_prefix: 's',
      token_bucket: { max_tokens: tokens, tokens_per_fill: 1, fill_interval: '3600s' },
    }),
  );

/** Listener `0.0.0.0_80` for table `80`, whose filter does nothing of its own. */
function listener(version: string): RawResource {
  const hcm = fromJson(HttpConnectionManagerSchema, {
    rds: { route_config_name: '80' },
    http_filters: [{ name: LIMIT }],
  });
  hcm.httpFilters[0]!.configType = {
    case: 'typedConfig',
    value: packAny(LocalRateLimitSchema, { statPrefix: 'off' }),
  };
  const message = fromJson(ListenerSchema, { name: '0.0.0.0_80', filter_chains: [{ filters: [{ name: 'h' }] }] });
  message.statPrefix = version;
  message.filterChains[0]!.filters[0]!.configType = {
    case: 'typedConfig',
    value: create(AnySchema, packAny(HttpConnectionManagerSchema, hcm)),
  };
  return { typeUrl: LISTENER_TYPE_URL, name: message.name, version, bytes: toBinary(ListenerSchema, message) };
}

interface HostInit {
  readonly name: string;
  readonly routes: JsonValue[];
  /** Tokens of the limits: of the virtual host, and of routes by position. */
  readonly hostLimit?: number;
  readonly routeLimits?: readonly number[];
}

function table(version: string, hosts: readonly HostInit[]): RawResource {
  const message = fromJson(RouteConfigurationSchema, {
    name: '80',
    virtual_hosts: hosts.map(({ name, routes }) => ({ name, domains: [name], routes })),
  });
  for (const [index, { hostLimit, routeLimits }] of hosts.entries()) {
    const host = message.virtualHosts[index]!;
    if (hostLimit !== undefined) host.typedPerFilterConfig[LIMIT] = limit(hostLimit);
    for (const [position, tokens] of (routeLimits ?? []).entries())
      host.routes[position]!.typedPerFilterConfig[LIMIT] = limit(tokens);
  }
  return { typeUrl: ROUTE_TYPE_URL, name: '80', version, bytes: toBinary(RouteConfigurationSchema, message) };
}

const to = (cluster: string, prefix = '/', name = 'default'): JsonValue => ({
  name,
  match: { prefix },
  route: { cluster },
});

class Feed {
  readonly clock = new VirtualClock();
  readonly states = new ClusterStates(this.clock, seededDraws(1));
  snapshot: Snapshot | undefined;

  /** As the mesh does: the next snapshot, then what nothing holds any more goes. */
  send(...resources: RawResource[]): this {
    this.snapshot = buildSnapshot(viewOf(resources), this.snapshot, {
      filterKinds: [localRateLimitFilterKind],
      filterState: this.states,
      clock: this.clock,
    });
    this.states.retainFilterStates(heldFilterStates(this.snapshot));
    return this;
  }

  plan(host: string, path = '/'): RoutePlan | undefined {
    const head = { method: 'GET', path, authority: host, scheme: 'http', header: () => undefined };
    return this.snapshot
      ?.routeTable('80')
      ?.virtualHost(host)
      ?.match(head, () => 0);
  }

  /** How many of ten calls the route's filters let through. */
  admitted(host: string, path = '/'): number {
    const plan = this.plan(host, path);
    const context = { draw: () => 0, nowMs: this.clock.nowMs(), wallMs: this.clock.wallMs() };
    const lets = () => plan?.filters.every((filter) => filter.decide({} as FilterRequest, context)?.kind !== 'reply');
    return Array.from({ length: 10 }, lets).filter(Boolean).length;
  }
}

describe('a virtual host that did not change', () => {
  const a = { name: 'a', routes: [to('a1')] };
  const b = { name: 'b', routes: [to('b1')] };

  it('keeps its plans when others change, come and go, and gets new ones when it changes', () => {
    const feed = new Feed().send(listener('1'), table('1', [a, b]));
    const [planA, planB] = [feed.plan('a'), feed.plan('b')];
    feed.send(listener('1'), table('2', [{ name: 'new', routes: [to('n')] }, { ...a, routes: [to('a2')] }, b]));
    expect(feed.plan('b')).toBe(planB);
    expect(feed.plan('a')).not.toBe(planA);
    expect(feed.plan('a')?.action).toMatchObject({ clusters: { entries: [{ name: 'a2' }] } });
    feed.send(listener('1'), table('3', [a]));
    expect(feed.plan('b')).toBeUndefined();
  });

  it('is kept over versions that no call met, and given up when the filters of its listener change', () => {
    const feed = new Feed().send(listener('1'), table('1', [a, b]));
    const planB = feed.plan('b');
    feed.send(listener('1'), table('2', [b])).send(listener('1'), table('3', [b, a]));
    expect(feed.plan('b')).toBe(planB);
    feed.send(listener('2'), table('3', [b, a]));
    expect(feed.plan('b')).not.toBe(planB);
  });

  it('is reported where it stands now', () => {
    const hedged = rawResource(ROUTE_TYPE_URL, '80', {
      name: '80',
      virtual_hosts: [{ name: 'v', domains: ['v'], hedge_policy: {}, routes: [to('c')] }],
    });
    const moved = rawResource(
      ROUTE_TYPE_URL,
      '80',
      {
        name: '80',
        virtual_hosts: [
          { name: 'w', domains: ['w'], routes: [] },
          { name: 'v', domains: ['v'], hedge_policy: {}, routes: [to('c')] },
        ],
      },
      '2',
    );
    const feed = new Feed().send(hedged);
    const plan = feed.plan('v');
    expect(feed.snapshot?.unsupported().map(({ path }) => path)).toEqual(['$.virtual_hosts[0].hedge_policy']);
    feed.send(moved);
    expect(feed.plan('v')).toBe(plan);
    expect(feed.snapshot?.unsupported().map(({ path }) => path)).toEqual(['$.virtual_hosts[1].hedge_policy']);
  });
});

describe('a rate limit', () => {
  const two = [to('c', '/a'), to('c', '/b')];

  it('of two routes with equal overrides is two buckets, even when the routes have one name', () => {
    const feed = new Feed().send(listener('1'), table('1', [{ name: 'v', routes: two, routeLimits: [3, 3] }]));
    expect([feed.admitted('v', '/a'), feed.admitted('v', '/b'), feed.admitted('v', '/a')]).toEqual([3, 3, 0]);
  });

  it('of a virtual host is one bucket for its routes', () => {
    const feed = new Feed().send(listener('1'), table('1', [{ name: 'v', routes: two, hostLimit: 3 }]));
    expect([feed.admitted('v', '/a'), feed.admitted('v', '/b')]).toEqual([3, 0]);
  });

  it('keeps its count over every change but its own, whether or not calls came in between', () => {
    const host = { name: 'v', routes: [to('c', '/a')], routeLimits: [3] };
    const feed = new Feed().send(listener('1'), table('1', [host]));
    expect(feed.admitted('v', '/a')).toBe(3);
    const other = { name: 'w', routes: [to('c')] };
    feed.send(listener('1'), table('2', [other, host])).send(listener('2'), table('2', [other, host]));
    feed.send(listener('2'), table('3', [{ ...host, routes: [to('changed', '/a')] }]));
    feed.send(listener('3'), table('4', [other, host]));
    expect(feed.admitted('v', '/a')).toBe(0);
    feed.send(listener('3'), table('5', [{ ...host, routeLimits: [5] }]));
    expect(feed.admitted('v', '/a')).toBe(5);
  });

  it('of the own server keeps its count when its listener changes, and goes with the limit', () => {
    const inbound = (version: string, tokens: number) => {
      const hcm = fromJson(HttpConnectionManagerSchema, {
        route_config: { name: 'in', virtual_hosts: [{ name: 'v', domains: ['*'], routes: [to('inbound|80||')] }] },
        http_filters: [{ name: LIMIT }],
      });
      hcm.httpFilters[0]!.configType = { case: 'typedConfig', value: limit(tokens) };
      const message = fromJson(ListenerSchema, {
        name: 'virtualInbound',
        filter_chains: [{ filters: [{ name: 'h' }] }],
      });
      message.statPrefix = version;
      message.filterChains[0]!.filters[0]!.configType = {
        case: 'typedConfig',
        value: create(AnySchema, packAny(HttpConnectionManagerSchema, hcm)),
      };
      return { typeUrl: LISTENER_TYPE_URL, name: message.name, version, bytes: toBinary(ListenerSchema, message) };
    };
    const feed = new Feed().send(inbound('1', 3));
    const take = () => {
      const handler = feed.snapshot!.inbound!.chains[0]!.handler;
      const context = { draw: () => 0, nowMs: 0, wallMs: 0 };
      return handler.kind === 'http' && handler.http.filters[0]!.decide({} as FilterRequest, context)?.kind !== 'reply';
    };
    expect([take(), take(), take(), take()]).toEqual([true, true, true, false]);
    feed.send(inbound('2', 3)).send(inbound('3', 3));
    expect(take()).toBe(false);
    feed.send(inbound('4', 5));
    expect(take()).toBe(true);
    expect(heldFilterStates(feed.snapshot!).size).toBe(1);
    feed.send();
    expect(heldFilterStates(feed.snapshot!).size).toBe(0);
  });

  it('leaves nothing behind, however often it changes', () => {
    const feed = new Feed();
    for (let round = 1; round <= 50; round++) {
      const host = { name: 'v', routes: [to('c', '/a')], routeLimits: [round] };
      feed.send(listener('1'), table(String(round), [host]));
      expect(feed.admitted('v', '/a')).toBe(Math.min(round, 10));
      expect(heldFilterStates(feed.snapshot!).size).toBe(1);
    }
    const before = heldFilterStates(feed.snapshot!);
    feed.send(listener('1'), table('51', [{ name: 'v', routes: [to('c', '/a')] }]));
    expect([...before].map((key) => feed.states.stateFor(key, () => 'made anew'))).toEqual(['made anew']);
    expect(heldFilterStates(feed.snapshot!).size).toBe(0);
  });
});
