// Random: every host with the same chance; weights are ignored, as in Envoy's RANDOM.
import type { Host, Picker } from './picker.js';

export function randomPicker<H extends Host>(hosts: readonly H[]): Picker<H> {
  return { pick: (draw) => hosts[Math.floor(draw('endpoint-a') * hosts.length)] };
}
