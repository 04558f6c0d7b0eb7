// From a cluster's balancer configuration to a picker over its eligible hosts.
import type { BalancerConfig } from '../snapshot/cluster-snapshot.js';
import { leastRequestPicker } from './least-request-picker.js';
import { maglevPicker } from './maglev-picker.js';
import type { Host, Picker } from './picker.js';
import { randomPicker } from './random-picker.js';
import { ringHashPicker } from './ring-hash-picker.js';
import { roundRobinPicker } from './round-robin-picker.js';

/** `start` in [0, 1): where a round begins. */
export function createPicker<H extends Host>(config: BalancerConfig, hosts: readonly H[], start: number): Picker<H> {
  switch (config.kind) {
    case 'round-robin':
    case 'cluster-provided':
      return roundRobinPicker(hosts, start);
    case 'least-request':
      return leastRequestPicker(hosts, config.choiceCount, config.activeRequestBias);
    case 'random':
      return randomPicker(hosts);
    case 'ring-hash':
      return ringHashPicker(hosts, config.minimumRingSize, config.maximumRingSize);
    case 'maglev':
      return maglevPicker(hosts, config.tableSize);
  }
}
