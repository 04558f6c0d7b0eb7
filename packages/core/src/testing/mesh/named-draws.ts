// Randomness of a test mesh: one seeded stream a name, so that one more draw of another kind changes nothing here.
import { type DrawName, type Draws, seededDraws } from '../../draws.js';

/** A number fixes every draw of that name; a function is asked each time. In [0, 1): `0` always hits a share above 0 %, `0.999` misses it. */
export type DrawOverrides = Readonly<Partial<Record<DrawName, number | (() => number)>>>;

/** Equal seeds give equal draws, name by name. */
export function namedDraws(seed: number, overrides: DrawOverrides = {}): Draws {
  const streams = new Map<DrawName, () => number>();
  const open = (name: DrawName): (() => number) => {
    const fixed = overrides[name];
    if (typeof fixed === 'number') return () => fixed;
    if (fixed !== undefined) return fixed;
    const stream = seededDraws(mix(seed, name));
    return () => stream(name);
  };
  return (name) => {
    let stream = streams.get(name);
    if (stream === undefined) streams.set(name, (stream = open(name)));
    return stream();
  };
}

/** FNV-1a over seed and name, then murmur3's finalizer: small seeds next to each other begin far apart. */
function mix(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
