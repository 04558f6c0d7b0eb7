// createTestMesh: a whole mesh in one test, without sockets, time or chance. Everything that decides is the real thing; transport, clock and draws are not.
import type { RequestListener } from 'node:http';
import type { Feed } from '@heddle/xds';
import type { Draws } from '../../draws.js';
import { noIdentity } from '../../identity/providers/no-identity.js';
import { type Application, listenerOf } from '../../inbound/app-listener.js';
import type { InboundListener } from '../../inbound/inbound-server.js';
import { defaultInboundSettings } from '../../inbound/inbound-settings.js';
import { Mesh } from '../../mesh/mesh.js';
import type { MeshOptions } from '../../mesh/mesh-options.js';
import { settingsFrom } from '../../mesh/mesh-settings.js';
import { openRooms } from '../../mesh/open-rooms.js';
import {
  type Held,
  injectRequest,
  type InjectedCaller,
  type InjectedRequest,
  type InjectedResponse,
} from './inject.js';
import { type MemoryNetwork, MemoryTransport } from './memory-transport.js';
import { type DrawOverrides, namedDraws } from './named-draws.js';
import type { UpstreamRequest, Upstreams } from './upstreams.js';
import { TestClock } from './virtual-time.js';

export interface TestMeshOptions extends Pick<
  MeshOptions,
  'service' | 'instanceIp' | 'locality' | 'retryNonIdempotent' | 'forwardHeaders'
> {
  /** Configuration, e.g. `configFeed([...])` or `folderFeed(['mesh'])` of @heddle/config. Without one, calls pass straight through. */
  readonly feed?: Feed;
  /** Who answers. An endpoint that nobody stands for refuses connections. */
  readonly upstreams?: Upstreams;
  /** Seeds every draw: weights, fault percentages, jitter, balancing. Default 1. */
  readonly seed?: number;
  /** Fixes draws by name, e.g. `{ 'fault-abort': 0 }`. */
  readonly draws?: DrawOverrides;
  /**
   * `auto` (default): while calls in flight wait for nothing but time (a back-off, an injected delay, an upstream's `delayMs`), time jumps to the next
   * timer. `manual`: only `advance` moves it.
   */
  readonly time?: 'auto' | 'manual';
  /** Wall time at the start, ms since 1970. Default 2026-01-01T00:00:00Z. */
  readonly startWallMs?: number;
}

/** A Mesh to hand to the code under test, and the strings by which the test pulls it. */
export class TestMesh extends Mesh {
  readonly clock: TestClock;
  readonly draws: Draws;
  /** Every request that reached an upstream, attempts included, in order. */
  readonly calls: readonly UpstreamRequest[];
  readonly #served = new Map<number, RequestListener>();
  readonly #held: Held;

  /** Use `createTestMesh`. */
  constructor(
    rooms: ConstructorParameters<typeof Mesh>[0],
    clock: TestClock,
    calls: readonly UpstreamRequest[],
    held: Held,
  ) {
    super(rooms);
    this.clock = clock;
    this.draws = rooms.draws;
    this.calls = calls;
    this.#held = held;
  }

  /** Takes the application for `inject`; nothing listens. Port 0 becomes 8080. */
  override async serve(application: Application, port: number): Promise<InboundListener> {
    const listener = await listenerOf(application);
    const served = port === 0 ? 8080 : port;
    this.#served.set(served, listener);
    const close = (): Promise<void> => {
      this.#served.delete(served);
      return Promise.resolve();
    };
    return { address: this.internals.settings.instanceIp, port: served, server: this.createServer(listener), close };
  }

  /**
   * A request from elsewhere to the application that `serve` took, under the inbound policies. Rejects with `code: 'ECONNRESET'` where policy refuses the
   * connection (plain text under STRICT), with the reason in its message.
   */
  inject(request: InjectedRequest, caller: InjectedCaller = {}): Promise<InjectedResponse> {
    const port = caller.port ?? [...this.#served.keys()][0];
    const application = port === undefined ? undefined : this.#served.get(port);
    if (port === undefined || application === undefined)
      throw new TypeError(
        `nothing is served${port === undefined ? '' : ` on port ${port}`}: call mesh.serve(app, port) first`,
      );
    const { settings, clock, draws, snapshot, security, telemetry } = this.internals;
    const { awaitsFeed, localIp } = { awaitsFeed: settings.feeds.length > 0, localIp: settings.instanceIp };
    const options = {
      snapshot,
      security,
      telemetry: telemetry.inbound,
      clock,
      draws,
      onEvent: () => undefined,
      settings: { ...defaultInboundSettings, awaitsFeed },
    };
    const injection = { request, caller, application, port, localIp, authority: `${settings.service.name}:${port}` };
    const response = injectRequest(options, injection, this.#held);
    this.clock.wake();
    return response;
  }

  /** Moves time on, timer by timer, and lets everything that waited for it run. Time that only `clock.advance` moves doesn't wait for promises. */
  advance(ms: number): Promise<void> {
    return this.clock.advanceAndSettle(ms);
  }

  override async close(): Promise<void> {
    await super.close({ drainMs: 0 });
  }
}

/** Resolves when the configuration is in force; rejects with MeshError FEED_UNAVAILABLE where the feed delivers none. */
export async function createTestMesh(options: TestMeshOptions = {}): Promise<TestMesh> {
  const { feed, upstreams = {}, seed = 1, time = 'auto', startWallMs } = options;
  const held: Held = { count: 0 };
  let mesh: TestMesh | undefined = undefined;
  const waits = (): boolean => held.count > 0 || (mesh?.internals.outbound.activeCalls ?? 0) > 0;
  const clock = new TestClock(time === 'auto', () => waits(), startWallMs);
  const draws = namedDraws(seed, options.draws);
  const meshOptions = optionsOf(options, clock, draws);
  const settings = settingsFrom(meshOptions, { env: {}, hostname: 'test', fileExists: () => false });
  const calls: UpstreamRequest[] = [];
  const network: MemoryNetwork = { upstreams, clock, counts: new Map(), calls, busy: clock.busy };
  const rooms = openRooms({
    settings,
    options: meshOptions,
    feed,
    identity: noIdentity,
    openTransport: (shape) => new MemoryTransport(network, shape),
    // Names stay names: upstreams stand for hosts.
    resolve: () => Promise.resolve([]),
  });
  mesh = new TestMesh(rooms, clock, calls, held);
  const ready = mesh.ready({ timeoutMs: 1_000 });
  const [, outcome] = await Promise.allSettled([clock.advanceAndSettle(1_000), ready]);
  if (outcome.status === 'rejected') {
    await mesh.close();
    throw outcome.reason;
  }
  return mesh;
}

function optionsOf(options: TestMeshOptions, clock: TestClock, draws: Draws): MeshOptions {
  const { feed, service, instanceIp, locality, retryNonIdempotent, forwardHeaders } = options;
  const given = { feed, service, instanceIp, locality, retryNonIdempotent, forwardHeaders };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as MeshOptions;
  return { ...said, clock, draws, identity: 'none', log: 'silent', handleSignals: false };
}
