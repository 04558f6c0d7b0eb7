// Which hosts a pick may see: first the priority, then the locality, then the balancer over the eligible hosts of that set.
import type { Draws } from '../draws.js';
import type { BalancerConfig } from '../snapshot/cluster-snapshot.js';
import { createPicker } from './create-picker.js';
import type { Host, Picker } from './picker.js';
import { priorityLoad, type PriorityHealth } from './priority-load.js';

export type Eligibility = 'healthy' | 'degraded' | 'unhealthy';

export interface LocalityHosts<H extends Host> {
  /** 0 = unset. */
  readonly weight: number;
  readonly hosts: readonly H[];
}

export interface SelectionConfig {
  readonly balancer: BalancerConfig;
  readonly overprovisioningFactor: number;
  readonly panicThresholdPercent: number;
}

/** A set of hosts with the share of the draw that ends here. */
interface WeightedPicker<H extends Host> {
  readonly upTo: number;
  readonly picker: Picker<H>;
}

/** Builds the picker of a whole cluster. Rebuilt whenever a host joins, leaves or changes its eligibility. */
export function selectHosts<H extends Host>(
  priorities: readonly (readonly LocalityHosts<H>[])[],
  eligibility: (host: H) => Eligibility,
  config: SelectionConfig,
  draw: Draws,
): Picker<H> {
  const health = priorities.map((localities) => countHealth(localities, eligibility));
  const load = priorityLoad(health, config.overprovisioningFactor, config.panicThresholdPercent);
  const choices: WeightedPicker<H>[] = [];
  let upTo = 0;
  const add = (percent: number | undefined, makePicker: () => Picker<H>) => {
    if (percent === undefined || percent <= 0) return;
    upTo += percent;
    choices.push({ upTo, picker: makePicker() });
  };
  priorities.forEach((localities, index) => {
    const wanted = load.panic[index] === true ? undefined : 'healthy';
    add(load.healthy[index], () => localityPicker(localities, wanted, eligibility, config, draw));
  });
  priorities.forEach((localities, index) =>
    add(load.degraded[index], () => localityPicker(localities, 'degraded', eligibility, config, draw)),
  );
  return weightedChoice(choices, 'priority');
}

function countHealth<H extends Host>(
  localities: readonly LocalityHosts<H>[],
  eligibility: (host: H) => Eligibility,
): PriorityHealth {
  let hosts = 0;
  let healthy = 0;
  let degraded = 0;
  for (const locality of localities) {
    for (const host of locality.hosts) {
      hosts += 1;
      const state = eligibility(host);
      if (state === 'healthy') healthy += 1;
      else if (state === 'degraded') degraded += 1;
    }
  }
  return { hosts, healthy, degraded, excluded: 0 };
}

/**
 * The hosts of one priority that are in the wanted state (undefined: all, in panic). Where localities carry weights, a locality's weight shrinks with
 * its share of usable hosts, overprovisioning included (Envoy: locality weighted load balancing); in panic localities don't count.
 */
function localityPicker<H extends Host>(
  localities: readonly LocalityHosts<H>[],
  wanted: Eligibility | undefined,
  eligibility: (host: H) => Eligibility,
  config: SelectionConfig,
  draw: Draws,
): Picker<H> {
  const usable = (hosts: readonly H[]) =>
    wanted === undefined ? hosts : hosts.filter((host) => eligibility(host) === wanted);
  const weighted = wanted !== undefined && localities.length > 1 && localities.some((locality) => locality.weight > 0);
  if (!weighted) {
    const all = localities.flatMap((locality) => usable(locality.hosts));
    return createPicker(config.balancer, all, draw('endpoint-a'));
  }
  const choices: WeightedPicker<H>[] = [];
  let upTo = 0;
  for (const locality of localities) {
    const hosts = usable(locality.hosts);
    if (hosts.length === 0 || locality.weight === 0) continue;
    const available = (config.overprovisioningFactor / 100) * (hosts.length / locality.hosts.length);
    upTo += locality.weight * Math.min(1, available);
    choices.push({ upTo, picker: createPicker(config.balancer, hosts, draw('endpoint-a')) });
  }
  return weightedChoice(choices, 'locality');
}

function weightedChoice<H extends Host>(
  choices: readonly WeightedPicker<H>[],
  name: 'priority' | 'locality',
): Picker<H> {
  const only = choices[0];
  if (only === undefined) return { pick: () => undefined };
  if (choices.length === 1) return only.picker;
  const total = (choices[choices.length - 1] as WeightedPicker<H>).upTo;
  return {
    pick(draw, hash, attempt) {
      const point = draw(name) * total;
      const chosen = choices.find((choice) => point < choice.upTo) ?? only;
      return chosen.picker.pick(draw, hash, attempt);
    },
  };
}
