import { CLUSTER_TYPE_URL, type RawResource, ROUTE_TYPE_URL } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.js';
import type { ResourceInspector } from './resource-view.js';
import { SLICE_BUDGET_MS, inspectUpdate } from './update-intake.js';

const resource = (name: string, sizeBytes = 4): RawResource => ({
  typeUrl: ROUTE_TYPE_URL,
  name,
  version: '1',
  bytes: new Uint8Array(sizeBytes),
});

/** An inspector whose every step takes half a millisecond; the virtual clock shows it. */
function setUp(steps: number, refusal?: string, sizeBytes?: number) {
  const clock = new VirtualClock();
  let spentMs = 0;
  const inspector: ResourceInspector = {
    *inspect() {
      for (let step = 0; step < steps; step++) {
        spentMs += 0.5;
        yield;
      }
    },
    refusal: () => refusal,
    references: () => [{ typeUrl: CLUSTER_TYPE_URL, name: 'c' }],
  };
  const slicesMs: number[] = [];
  let sinceMs = 0;
  const parts = {
    inspector,
    clock: { nowMs: () => spentMs, wallMs: () => clock.wallMs(), after: clock.after.bind(clock) },
    isKnown: () => false,
    yieldTurn: () => {
      slicesMs.push(spentMs - sinceMs);
      sinceMs = spentMs;
      return Promise.resolve();
    },
  };
  const update = {
    typeUrl: ROUTE_TYPE_URL,
    kind: 'full',
    version: '1',
    resources: [resource('80', sizeBytes)],
    removed: [],
  };
  return { slicesMs, take: async () => inspectUpdate({ ...update, kind: 'full' }, parts) };
}

describe('an update', () => {
  it('of one large resource gives the event loop its turns and is answered in full', async () => {
    const { slicesMs, take } = setUp(100);
    const { changed } = await take();
    expect(changed.map(({ refusal, references }) => [refusal, references.length])).toEqual([[undefined, 1]]);
    expect(slicesMs.length).toBeGreaterThanOrEqual(20);
    expect(Math.max(...slicesMs)).toBeLessThanOrEqual(SLICE_BUDGET_MS + 0.5);
  });

  it('that fits into one slice is answered at once', async () => {
    const { slicesMs, take } = setUp(2);
    await take();
    expect(slicesMs).toEqual([]);
  });

  it('from a large message is inspected, and taken, in turns of their own', async () => {
    const { slicesMs, take } = setUp(2, undefined, 100_000);
    await take();
    // Nothing in the turn of the message, one slice, then the turn in which the caller goes on.
    expect(slicesMs).toEqual([0, 1]);
  });

  it('with a bad resource comes back with its refusal', async () => {
    const { changed } = await setUp(10, 'RouteConfiguration 80: bad').take();
    expect(changed[0]).toMatchObject({ refusal: 'RouteConfiguration 80: bad', references: [] });
  });
});
