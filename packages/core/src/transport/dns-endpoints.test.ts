// DNS clusters: names first, addresses as soon as they are known, the last good ones when a lookup fails.
import { expect, it } from 'vitest';
import { ClusterStates } from '../cluster-state/cluster-states.js';
import { seededDraws } from '../draws.js';
import { cluster } from '../outbound/testing/snapshot-fixture.js';
import { VirtualClock } from '../testing/virtual-clock.js';
import { DnsEndpoints } from './dns-endpoints.js';

it('a name becomes one endpoint per address, refreshed on use, and survives a failing resolver', async () => {
  const clock = new VirtualClock();
  const state = new ClusterStates(clock, seededDraws(1)).of(
    cluster('ext', ['api.example:443'], { discovery: 'strict-dns' }),
  );
  const answers: (readonly string[] | Error)[] = [['10.0.0.1', '10.0.0.2', '::1'], new Error('SERVFAIL'), ['10.0.0.2']];
  let asked = 0;
  let answered = Promise.resolve();
  const dns = new DnsEndpoints(clock, () => {
    const answer = answers[asked++] ?? [];
    const result = answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    answered = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  });
  const settle = async () => {
    await answered;
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  const addresses = () => [...state.endpoints.keys()];
  dns.refresh(state, clock.nowMs());
  expect(addresses()).toEqual(['api.example:443']);
  await settle();
  expect(addresses()).toEqual(['10.0.0.1:443', '10.0.0.2:443', '[::1]:443']);
  expect(state.endpoints.get('[::1]:443')?.endpoint).toMatchObject({ host: '::1', hostname: 'api.example' });
  dns.refresh(state, clock.nowMs());
  expect(asked).toBe(1);
  clock.advance(5_000);
  dns.refresh(state, clock.nowMs());
  await settle();
  expect([asked, addresses().length]).toEqual([2, 3]);
  clock.advance(5_000);
  const kept = state.endpoints.get('10.0.0.2:443');
  dns.refresh(state, clock.nowMs());
  await settle();
  expect(addresses()).toEqual(['10.0.0.2:443']);
  expect(state.endpoints.get('10.0.0.2:443')).toBe(kept);
});
