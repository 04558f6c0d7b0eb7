// The state machine in virtual time: scripts of events with their steps, and what must hold for every script.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClusterStates } from '../../cluster-state/cluster-states.js';
import { seededDraws } from '../../draws.js';
import type { FilterAction, HttpFilter } from '../../filters/http-filter.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { cluster, DEFAULT_LIMITS, retryPlan } from '../testing/snapshot-fixture.js';
import { FAILURES, type AttemptFailure } from './attempt-failure.js';
import { Exchange, type ExchangePlan, type Step } from './exchange.js';
import { FilterRun } from './filter-run.js';
import { localReply } from './local-reply.js';
import { OutboundHead } from './outbound-head.js';

class TestExchange extends Exchange {
  woken = 0;

  onCapacityFreed(): void {
    this.woken += 1;
  }
}

class ConnectingExchange extends TestExchange {
  protected override tracksConnections = true;
}

const NO_HEAD = { header: () => undefined };
const head = () => new OutboundHead('GET', '/', 'upstream', 'http', 80, []);

function setUp(changes: Partial<ExchangePlan> = {}, limits = DEFAULT_LIMITS) {
  const clock = new VirtualClock();
  const draw = seededDraws(11);
  const states = new ClusterStates(clock, draw);
  const state = states.of(cluster('upstream', ['10.0.0.1:80', '10.0.0.2:80'], { limits }));
  const exchange = new TestExchange({ draw, wallMs: () => clock.wallMs() });
  const plan: ExchangePlan = {
    cluster: state,
    retry: undefined,
    callerDeadlineMs: Infinity,
    routeTimeoutMs: 0,
    hash: undefined,
    repeatable: true,
    fixedEndpoint: undefined,
    filters: undefined,
    grpc: false,
    ...changes,
  };
  return { clock, draw, state, exchange, plan };
}

const filterOf = (action: FilterAction | undefined): HttpFilter => ({
  name: 'test',
  typeUrl: 'test',
  decide: () => action,
  explain: () => ({ verdict: 'info', reason: '' }),
});

describe('an exchange', () => {
  it('delivers the first good answer and gives its slot back at the end', () => {
    const { exchange, plan, state } = setUp();
    expect(exchange.begin(plan, 0)).toBe('send');
    expect([state.breaker.activeRequests, exchange.endpoint?.activeRequests]).toEqual([1, 1]);
    expect(exchange.onHeaders(200, -1, NO_HEAD, 7)).toBe('deliver');
    expect(exchange.serviceTimeMs).toBe(7);
    exchange.onEnd(-1, 9);
    expect([state.breaker.activeRequests, exchange.endpoint?.activeRequests, exchange.phase]).toEqual([0, 0, 'done']);
  });

  it('ends a try at its own timeout and the call at the whole one', () => {
    const retry = retryPlan({ reset: true }, { perTryTimeoutMs: 100, numRetries: 5 });
    const { exchange, plan } = setUp({ retry, routeTimeoutMs: 250 });
    expect(exchange.begin(plan, 0)).toBe('send');
    expect(exchange.timerAtMs).toBe(100);
    expect(exchange.onTimer(99)).toBe('none');
    expect(exchange.onTimer(100)).toBe('wait');
    expect(exchange.onTimer(exchange.timerAtMs)).toBe('send');
    expect(exchange.attempts).toBe(2);
    expect(exchange.onTimer(250)).toBe('reply');
    expect(exchange.reply).toMatchObject({ status: 504, flag: 'UT', details: 'response_timeout' });
  });

  it('breaks off a response that runs past the deadline', () => {
    const { exchange, plan } = setUp({ routeTimeoutMs: 50 });
    exchange.begin(plan, 0);
    exchange.onHeaders(200, -1, NO_HEAD, 10);
    expect(exchange.onTimer(50)).toBe('fail');
  });

  it('answers at once when the caller´s deadline has passed already', () => {
    const { exchange, plan, state } = setUp({ callerDeadlineMs: 5 });
    expect(exchange.begin(plan, 5)).toBe('reply');
    expect([exchange.reply?.code, state.breaker.activeRequests]).toEqual(['DEADLINE_EXCEEDED', 0]);
  });

  it('delays by a fault, then goes on or aborts, and ends the delay exactly once', () => {
    let done = 0;
    const delay = (thenReply: ReturnType<typeof reply> | undefined): FilterAction => ({
      kind: 'delay',
      delayMs: 500,
      thenReply,
      flag: 'DI',
      onDone: () => (done += 1),
    });
    const reply = () => ({
      kind: 'reply' as const,
      ...localReply('FAULT_ABORT', { status: 418 }),
      code: 'FAULT_ABORT' as const,
    });
    const going = setUp({ filters: new FilterRun([filterOf(delay(undefined))], head()) });
    expect(going.exchange.begin(going.plan, 0)).toBe('wait');
    expect(going.exchange.timerAtMs).toBe(500);
    expect(going.exchange.onTimer(500)).toBe('send');
    const aborting = setUp({ filters: new FilterRun([filterOf(delay(reply()))], head()) });
    aborting.exchange.begin(aborting.plan, 0);
    expect(aborting.exchange.onTimer(500)).toBe('reply');
    expect([aborting.exchange.reply?.status, aborting.exchange.flags]).toEqual([418, 'DI,FI']);
    const left = setUp({ filters: new FilterRun([filterOf(delay(undefined))], head()) });
    left.exchange.begin(left.plan, 0);
    expect(left.exchange.cancel()).toBe('fail');
    expect(done).toBe(3);
  });

  it('starts the route´s timeout after a fault´s delay, but not the caller´s', () => {
    const delay: FilterAction = { kind: 'delay', delayMs: 500, thenReply: undefined, flag: 'DI', onDone: undefined };
    const filters = () => new FilterRun([filterOf(delay)], head());
    const routed = setUp({ filters: filters(), routeTimeoutMs: 100 });
    routed.exchange.begin(routed.plan, 0);
    expect(routed.exchange.onTimer(500)).toBe('send');
    expect(routed.exchange.timerAtMs).toBe(600);
    expect(routed.exchange.onTimer(600)).toBe('reply');
    expect(routed.exchange.reply?.code).toBe('UPSTREAM_TIMEOUT');
    const called = setUp({ filters: filters(), callerDeadlineMs: 100 });
    called.exchange.begin(called.plan, 0);
    expect(called.exchange.onTimer(100)).toBe('reply');
    expect(called.exchange.reply?.code).toBe('DEADLINE_EXCEEDED');
  });

  it('waits for a filter that needs I/O, and refuses where a filter throws', async () => {
    const denied = { kind: 'reply' as const, ...localReply('DENIED'), code: 'DENIED' as const };
    const pending = setUp({
      filters: new FilterRun([filterOf({ kind: 'pending', result: Promise.resolve(denied) })], head()),
    });
    expect(pending.exchange.begin(pending.plan, 0)).toBe('wait');
    expect(pending.exchange.onFilterResult(await pending.exchange.pendingFilter, 5)).toBe('reply');
    expect(pending.exchange.reply?.status).toBe(403);
    const broken: HttpFilter = {
      ...filterOf(undefined),
      decide() {
        throw new Error('defect');
      },
    };
    const failing = setUp({ filters: new FilterRun([broken], head()) });
    expect(failing.exchange.begin(failing.plan, 0)).toBe('reply');
    expect(failing.exchange.reply?.code).toBe('INTERNAL');
  });

  it('queues beyond maxConnections, is woken in turn, and leaves the queue when its caller leaves', () => {
    const limits = { ...DEFAULT_LIMITS, maxConnections: 1, maxPendingRequests: 2 };
    const { exchange, plan, draw, state } = setUp({}, limits);
    const others = [0, 1, 2].map(() => new TestExchange({ draw, wallMs: () => 0 }));
    expect(exchange.begin(plan, 0)).toBe('send');
    expect(others.map((other) => other.begin(plan, 0))).toEqual(['wait', 'wait', 'reply']);
    expect(others[2]?.reply).toMatchObject({ code: 'OVERFLOW', headers: [['x-envoy-overloaded', 'true']] });
    others[0]?.cancel();
    exchange.onHeaders(200, -1, NO_HEAD, 1);
    exchange.onEnd(-1, 1);
    expect(others.map(({ woken }) => woken)).toEqual([0, 1, 0]);
    expect(others[1]?.onCapacity(2)).toBe('send');
    expect(state.breaker.waiting).toBe(0);
  });

  it('tries another endpoint where the policy avoids previous hosts', () => {
    const retry = retryPlan({ on5xx: true }, { avoidPreviousHosts: true, hostSelectionAttempts: 5, numRetries: 1 });
    for (let run = 0; run < 10; run++) {
      const { exchange, plan, state } = setUp({ retry });
      for (let pick = 0; pick < run; pick++) state.pick(undefined, 0);
      exchange.begin(plan, 0);
      const first = exchange.endpoint;
      exchange.onHeaders(503, -1, NO_HEAD, 0);
      exchange.onTimer(exchange.timerAtMs);
      expect(exchange.endpoint).not.toBe(first);
    }
  });

  it('holds a retry slot from the back-off to the answer, and says UO when there is none', () => {
    const retry = retryPlan({ on5xx: true });
    const limits = { ...DEFAULT_LIMITS, maxRetries: 1 };
    const { exchange, plan, draw, state } = setUp({ retry }, limits);
    const other = new TestExchange({ draw, wallMs: () => 0 });
    exchange.begin(plan, 0);
    other.begin(plan, 0);
    expect(exchange.onHeaders(503, -1, NO_HEAD, 0)).toBe('wait');
    expect(state.breaker.activeRetries).toBe(1);
    expect(other.onHeaders(503, -1, NO_HEAD, 0)).toBe('deliver');
    expect(other.flags).toBe('UO');
    exchange.onTimer(exchange.timerAtMs);
    exchange.onHeaders(200, -1, NO_HEAD, 300);
    expect(state.breaker.activeRetries).toBe(0);
  });

  it('ends a try in which nothing moves for the per-try idle timeout, also in the middle of an answer', () => {
    const retry = retryPlan({ reset: true }, { perTryIdleTimeoutMs: 100, numRetries: 1 });
    const { exchange, plan } = setUp({ retry });
    exchange.begin(plan, 0);
    exchange.onActivity(60);
    expect([exchange.timerAtMs, exchange.onTimer(100)]).toEqual([160, 'none']);
    expect(exchange.onTimer(160)).toBe('wait');
    const sentMs = exchange.timerAtMs;
    expect(exchange.onTimer(sentMs)).toBe('send');
    expect(exchange.onHeaders(200, -1, NO_HEAD, sentMs + 90)).toBe('deliver');
    exchange.onActivity(sentMs + 90);
    expect(exchange.onTimer(sentMs + 190)).toBe('fail');
    expect(exchange.reply).toMatchObject({ flag: 'UT', details: 'upstream_per_try_idle_timeout' });
  });

  it('sends an idempotent request once more, at once, when its pooled connection was closed', () => {
    const { exchange, plan, state } = setUp();
    exchange.begin(plan, 0);
    expect(exchange.onFailure('stale-connection', 1)).toBe('send');
    expect([exchange.attempts, state.breaker.activeRequests]).toEqual([2, 1]);
    expect(exchange.onFailure('stale-connection', 2)).toBe('reply');
    expect([exchange.flags, state.breaker.activeRequests]).toEqual(['UC', 0]);

    const posted = setUp({ repeatable: false });
    posted.exchange.begin(posted.plan, 0);
    expect(posted.exchange.onFailure('stale-connection', 1)).toBe('reply');
  });

  it('counts a request as pending until it has a connection, and only where none is idle', () => {
    const { exchange, plan, state, draw } = setUp({}, { ...DEFAULT_LIMITS, maxPendingRequests: 1 });
    const begin = () => {
      const made = new ConnectingExchange({ draw, wallMs: () => 0 });
      return [made, made.begin(plan, 0)] as const;
    };
    const [first, step] = begin();
    expect([step, state.breaker.connecting]).toEqual(['send', 1]);
    const [refused, answer] = begin();
    expect([answer, refused.flags, state.breaker.pendingOverflows]).toEqual(['reply', 'UO', 1]);
    first.onConnected();
    expect(state.breaker.connecting).toBe(0);
    const [waiting] = begin();
    for (const endpoint of state.endpoints.values()) endpoint.openConnections = 5;
    expect(begin()[1]).toBe('send');
    waiting.cancel();
    expect([state.breaker.connecting, exchange.phase]).toEqual([0, 'idle']);
  });

  it('counts a gRPC answer by its status, at the end where it comes there', () => {
    const { exchange, plan } = setUp({ grpc: true });
    exchange.begin(plan, 0);
    expect(exchange.onHeaders(200, -1, NO_HEAD, 1)).toBe('deliver');
    exchange.onEnd(14, 2);
    expect(exchange.endpoint?.failedRequests).toBe(1);
  });
});

type Event =
  | { kind: 'headers'; status: number }
  | { kind: 'failure'; failure: AttemptFailure }
  | { kind: 'end' }
  | { kind: 'cancel' }
  | { kind: 'capacity' }
  | { kind: 'advance'; byMs: number };

const failures = Object.keys(FAILURES) as AttemptFailure[];
const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('headers' as const), status: fc.constantFrom(200, 404, 409, 500, 503) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('failure' as const), failure: fc.constantFrom(...failures) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'end' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'capacity' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), byMs: fc.integer({ min: 1, max: 400 }) }),
  },
);

const plans = fc.record({
  numRetries: fc.integer({ min: 0, max: 4 }),
  perTryTimeoutMs: fc.constantFrom(0, 50, 200),
  perTryIdleTimeoutMs: fc.constantFrom(0, 40, 150),
  deadlineMs: fc.constantFrom(Infinity, 0, 100, 1_000),
  routeTimeoutMs: fc.constantFrom(0, 70, 500),
  repeatable: fc.boolean(),
  delayMs: fc.constantFrom(0, 30, 300),
  maxRequests: fc.constantFrom(0, 1, 1024),
  maxRetries: fc.constantFrom(0, 3),
});

describe('every exchange', () => {
  it('keeps to its deadline, its attempts and its limits, answers once, and loses no timer', () => {
    fc.assert(
      fc.property(plans, fc.array(events, { maxLength: 40 }), (given, script) => {
        const delay: FilterAction = {
          kind: 'delay',
          delayMs: given.delayMs,
          thenReply: undefined,
          flag: 'DI',
          onDone: undefined,
        };
        const retry = retryPlan({ on5xx: true, reset: true }, given);
        const { exchange, plan, state } = setUp(
          {
            retry,
            callerDeadlineMs: given.deadlineMs,
            routeTimeoutMs: given.routeTimeoutMs,
            repeatable: given.repeatable,
            filters: given.delayMs > 0 ? new FilterRun([filterOf(delay)], head()) : undefined,
          },
          { ...DEFAULT_LIMITS, maxRequests: given.maxRequests, maxRetries: given.maxRetries },
        );
        let nowMs = 0;
        let terminal: Step | undefined = undefined;
        let delivered = false;
        const see = (step: Step) => {
          if (terminal !== undefined) expect(step).toBe('none');
          if (step === 'deliver') {
            expect(delivered).toBe(false);
            delivered = true;
          }
          if (step === 'send') {
            expect(delivered).toBe(false);
            expect(nowMs).toBeLessThan(given.deadlineMs);
          }
          if (step === 'reply') expect(delivered).toBe(false);
          if (step === 'reply' || step === 'fail') terminal = step;
        };
        see(exchange.begin(plan, nowMs));
        for (const event of script) {
          switch (event.kind) {
            case 'headers':
              see(exchange.onHeaders(event.status, -1, NO_HEAD, nowMs));
              break;
            case 'failure':
              see(exchange.onFailure(event.failure, nowMs));
              break;
            case 'end':
              exchange.onEnd(-1, nowMs);
              break;
            case 'cancel':
              see(exchange.cancel());
              break;
            case 'capacity':
              see(exchange.onCapacity(nowMs));
              break;
            case 'advance': {
              const untilMs = nowMs + event.byMs;
              // A driver that keeps its word about timers: never later than asked for.
              while (exchange.timerAtMs <= untilMs) {
                const before = exchange.timerAtMs;
                nowMs = Math.max(nowMs, before);
                see(exchange.onTimer(nowMs));
                expect(
                  exchange.timerAtMs > before || exchange.timerAtMs === Infinity || exchange.phase === 'sending',
                ).toBe(true);
              }
              nowMs = untilMs;
              break;
            }
          }
          // A pooled connection that turned out to be closed does not use up a retry, but only once.
          const stale = script.some((each) => each.kind === 'failure' && each.failure === 'stale-connection');
          expect(exchange.attempts).toBeLessThanOrEqual(given.numRetries + (stale ? 2 : 1));
          expect(state.breaker.activeRetries).toBeLessThanOrEqual(given.maxRetries);
          if (exchange.phase === 'done') {
            expect([state.breaker.activeRequests, state.breaker.activeRetries, exchange.timerAtMs]).toEqual([
              0,
              0,
              Infinity,
            ]);
          } else {
            // Whoever waits for time alone has a timer; no call outlives its deadline.
            if (exchange.phase === 'backing-off' || exchange.phase === 'filtering')
              expect(exchange.timerAtMs).toBeLessThan(Infinity);
            expect(exchange.timerAtMs).toBeLessThanOrEqual(given.deadlineMs);
            expect(nowMs).toBeLessThan(given.deadlineMs);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('sends a request that may not be repeated again only where the upstream provably did not process it', () => {
    for (const failure of failures) {
      const { exchange, plan } = setUp({ retry: retryPlan({ reset: true }), repeatable: false });
      exchange.begin(plan, 0);
      expect(exchange.onFailure(failure, 0)).toBe(FAILURES[failure].unprocessed ? 'wait' : 'reply');
    }
    const { exchange, plan } = setUp({ retry: retryPlan({ reset: true }) });
    exchange.begin(plan, 0);
    exchange.bodyReplayable = false;
    expect(exchange.onFailure('connect-failure', 0)).toBe('reply');
  });
});
