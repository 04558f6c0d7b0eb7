// Least request: the least busy of a few random hosts, or an EDF schedule over load-adjusted weights (Envoy: LEAST_REQUEST).
import type { Draws } from '../draws.js';
import { EdfSchedule } from './edf-schedule.js';
import { equalWeights, type Host, type Picker } from './picker.js';

/**
 * Equal weights: `choiceCount` draws with replacement, the first of the least busy wins (power of two choices). Different weights: each host's
 * weight is divided by (active + 1) ^ bias at every pick (Envoy: active_request_bias, default 1).
 */
export function leastRequestPicker<H extends Host>(
  hosts: readonly H[],
  choiceCount: number,
  activeRequestBias: number,
): Picker<H> {
  if (!equalWeights(hosts)) return weightedPicker(hosts, activeRequestBias);
  const only = hosts[0];
  if (hosts.length <= 1) return { pick: () => only };
  return { pick: (draw) => (choiceCount === 2 ? pickOfTwo(hosts, draw) : pickOfMany(hosts, choiceCount, draw)) };
}

function pickOfTwo<H extends Host>(hosts: readonly H[], draw: Draws): H {
  const a = hosts[Math.floor(draw('endpoint-a') * hosts.length)] as H;
  const b = hosts[Math.floor(draw('endpoint-b') * hosts.length)] as H;
  return b.activeRequests < a.activeRequests ? b : a;
}

function pickOfMany<H extends Host>(hosts: readonly H[], choiceCount: number, draw: Draws): H {
  let best = hosts[Math.floor(draw('endpoint-a') * hosts.length)] as H;
  for (let choice = 1; choice < choiceCount; choice++) {
    const other = hosts[Math.floor(draw('endpoint-b') * hosts.length)] as H;
    if (other.activeRequests < best.activeRequests) best = other;
  }
  return best;
}

function weightedPicker<H extends Host>(hosts: readonly H[], bias: number): Picker<H> {
  const schedule = new EdfSchedule<H>();
  const weightOf = (host: H) => {
    if (bias === 0) return host.weight;
    const load = host.activeRequests + 1;
    return host.weight / (bias === 1 ? load : Math.pow(load, bias));
  };
  for (const host of hosts) schedule.add(host, weightOf(host));
  return { pick: () => schedule.next(weightOf) };
}
