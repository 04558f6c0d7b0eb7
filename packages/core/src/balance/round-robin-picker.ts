// Round robin: in turn where all weights are equal, by an EDF schedule where they differ (Envoy: ROUND_ROBIN).
import { EdfSchedule } from './edf-schedule.js';
import { equalWeights, type Host, type Picker } from './picker.js';

const weightOf = (host: Host) => host.weight;

/** `start` in [0, 1) says where in the round the first pick lies, so that many clients don't all begin with the same host. */
export function roundRobinPicker<H extends Host>(hosts: readonly H[], start: number): Picker<H> {
  const skipped = Math.floor(start * hosts.length);
  if (equalWeights(hosts)) {
    let next = skipped;
    return {
      pick() {
        const host = hosts[next];
        next = next + 1 < hosts.length ? next + 1 : 0;
        return host;
      },
    };
  }
  const schedule = new EdfSchedule<H>();
  for (const host of hosts) schedule.add(host, host.weight);
  for (let index = 0; index < skipped; index++) schedule.next(weightOf);
  return { pick: () => schedule.next(weightOf) };
}
