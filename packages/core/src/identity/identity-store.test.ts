import { expect, test } from 'vitest';
import { VirtualClock } from '../testing/virtual-clock.js';
import { testAuthority } from '../testing/test-certificates.js';
import type { IdentityProvider, IdentitySink, Svid } from './identity-provider.js';
import { IdentityStore } from './identity-store.js';
import type { IdentityEvent } from './identity-store.js';
import { noIdentity } from './providers/no-identity.js';
import { readSvid } from './svid.js';
import { trustBundles } from './trust-bundles.js';

const id = 'spiffe://cluster.local/ns/default/sa/reviews';
const authority = testAuthority('cluster.local');
const bundles = trustBundles([['cluster.local', authority.rootPem]]);

function issue(clock: VirtualClock, lifeMs: number): Svid {
  const pair = authority.issue({
    spiffeId: id,
    notBeforeWallMs: clock.wallMs(),
    notAfterWallMs: clock.wallMs() + lifeMs,
  });
  const read = readSvid(pair.certificateChainPem, pair.privateKeyPem);
  if (!read.ok) throw new Error(read.reason);
  return read.svid;
}

/** A provider whose deliveries the test makes by hand. */
function handProvider(): IdentityProvider & { sink: IdentitySink; closed: boolean } {
  const provider = {
    name: 'by hand',
    closed: false,
    sink: undefined as unknown as IdentitySink,
    open(sink: IdentitySink) {
      provider.sink = sink;
      return { close: () => void (provider.closed = true) };
    },
  };
  return provider;
}

function opened() {
  const clock = new VirtualClock();
  const provider = handProvider();
  const events: IdentityEvent[] = [];
  const store = new IdentityStore({ provider, clock, onEvent: (event) => events.push(event) });
  return { clock, provider, events, store };
}

test('a certificate without renewal raises three alarms, is dropped the moment it ends, and comes back without a restart', async () => {
  const { clock, provider, events, store } = opened();
  provider.sink.onState({ svid: issue(clock, 100_000), bundles });
  await store.ready(1000);
  const generation = store.state().generation;
  clock.advance(100_000);
  expect(store.state().svid?.spiffeId).toBe(id);
  clock.advance(1000);
  expect(store.state().svid).toBeUndefined();
  expect(store.state().generation).toBe(generation + 1);
  expect(store.state().bundles).toBe(bundles);
  expect(events.slice(2)).toMatchObject([
    { kind: 'expiring', remainingPercent: 50 },
    { kind: 'expiring', remainingPercent: 20 },
    { kind: 'expiring', remainingPercent: 5 },
    { kind: 'expired', spiffeId: id },
  ]);
  const again = store.ready(5000);
  provider.sink.onState({ svid: issue(clock, 100_000), bundles });
  await again;
  expect(store.state().svid?.spiffeId).toBe(id);
});

test('a certificate renewed at half of its life raises no alarm', () => {
  const { clock, provider, events } = opened();
  for (let round = 0; round < 5; round++) {
    provider.sink.onState({ svid: issue(clock, 100_000), bundles });
    clock.advance(45_000);
  }
  expect(events.filter(({ kind }) => kind === 'expiring' || kind === 'expired')).toEqual([]);
});

test('a key of another certificate, or an expired one, never replaces a good pair', () => {
  const { clock, provider, events, store } = opened();
  const good = issue(clock, 100_000);
  provider.sink.onState({ svid: good, bundles });
  provider.sink.onState({ svid: { ...issue(clock, 100_000), privateKeyPem: good.privateKeyPem }, bundles });
  provider.sink.onState({ svid: issue(clock, -1), bundles });
  expect(store.state().svid).toBe(good);
  expect(events.filter(({ kind }) => kind === 'refused')).toMatchObject([
    { reason: 'the private key does not belong to the certificate' },
    { reason: 'the certificate has expired' },
  ]);
});

test('a machine that slept past the end of the certificate offers none when it wakes', () => {
  const clock = new VirtualClock();
  let sleptMs = 0;
  const jumping = {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs() + sleptMs,
    after: clock.after.bind(clock),
  };
  const provider = handProvider();
  const store = new IdentityStore({ provider, clock: jumping });
  provider.sink.onState({ svid: issue(clock, 100_000), bundles });
  sleptMs = 200_000;
  expect(store.state().svid).toBeUndefined();
});

test('readiness that does not come says which provider is awaited and what went wrong last', async () => {
  const { clock, provider, store } = opened();
  const waiting = store.ready(3000);
  provider.sink.onFailure('connection refused', 500);
  clock.advance(3000);
  await expect(waiting).rejects.toMatchObject({
    code: 'IDENTITY_UNAVAILABLE',
    message: 'no identity from by hand within 3000 ms: connection refused',
  });
});

test('listeners hear of changes only, and of none after close', async () => {
  const { clock, provider, store } = opened();
  let calls = 0;
  store.onChange(() => calls++);
  const svid = issue(clock, 100_000);
  provider.sink.onState({ svid, bundles });
  provider.sink.onState({ svid, bundles });
  expect(store.state().generation).toBe(1);
  const waiting = new IdentityStore({ provider: handProvider(), clock });
  const ready = waiting.ready(1000);
  waiting.close();
  await expect(ready).rejects.toMatchObject({ code: 'CLOSED' });
  store.close();
  const before = calls;
  provider.sink.onState({ svid: issue(clock, 100_000), bundles });
  expect(calls).toBe(before);
  expect(provider.closed).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test('without an identity provider the store is ready at once, and empty', async () => {
  const store = new IdentityStore({ provider: noIdentity, clock: new VirtualClock() });
  await store.ready(1);
  expect(store.state().svid).toBeUndefined();
});
