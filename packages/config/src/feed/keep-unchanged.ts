// Objects of a new reading that equal those of the former one are replaced by them, so that what was made of them is kept.
import { isDeepStrictEqual } from 'node:util';
import { type ConfigObject, describeObject } from '../model/config-object.js';

export function keepUnchanged(former: readonly ConfigObject[], next: readonly ConfigObject[]): readonly ConfigObject[] {
  const known = new Map(former.map((object) => [describeObject(object), object]));
  return next.map((object) => {
    const before = known.get(describeObject(object));
    return before !== undefined && sameObject(before, object) ? before : object;
  });
}

/** An object that moved to another line is another one: its positions are told to people. */
function sameObject(a: ConfigObject, b: ConfigObject): boolean {
  return (
    a.order === b.order &&
    a.version === b.version &&
    a.source.file === b.source.file &&
    a.source.position?.line === b.source.position?.line &&
    isDeepStrictEqual(a.metadata, b.metadata) &&
    isDeepStrictEqual(a.spec, b.spec) &&
    isDeepStrictEqual(a.status, b.status)
  );
}
