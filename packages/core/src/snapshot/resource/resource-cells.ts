// One cell a resource version: where what was compiled from it is kept. Snapshots share the cells of resources that did not change, so an unchanged
// resource yields the identical object however many snapshots follow.
import type { RawResource } from '@heddle/xds';

/** A raw resource and the memo of its compiled form (the only write that a snapshot knows). */
export class ResourceCell<Compiled extends object> {
  #compiled: Compiled | undefined;

  constructor(readonly raw: RawResource) {}

  /** The compiled form, made on first use. */
  get(compile: (raw: RawResource) => Compiled): Compiled {
    return (this.#compiled ??= compile(this.raw));
  }

  /** The compiled form if it was made already. */
  get peek(): Compiled | undefined {
    return this.#compiled;
  }
}

export type CellMap<Compiled extends object> = ReadonlyMap<string, ResourceCell<Compiled>>;

/** The cells of one resource map: the previous cell where the version is the same, the previous map where the map itself is. */
export function cellsOf<Compiled extends object>(
  resources: ReadonlyMap<string, RawResource>,
  previous: { readonly resources: ReadonlyMap<string, RawResource>; readonly cells: CellMap<Compiled> } | undefined,
): CellMap<Compiled> {
  if (previous?.resources === resources) return previous.cells;
  const cells = new Map<string, ResourceCell<Compiled>>();
  for (const [name, raw] of resources) {
    const known = previous?.cells.get(name);
    cells.set(name, known?.raw.version === raw.version ? known : new ResourceCell<Compiled>(raw));
  }
  return cells;
}
