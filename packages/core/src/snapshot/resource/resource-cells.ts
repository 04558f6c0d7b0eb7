// One cell a resource version: where what was compiled from it is kept. Snapshots share the cells of resources that did not change, so an unchanged
// resource yields the identical object however many snapshots follow.
import type { RawResource } from '@heddle/xds';

/** A raw resource and the memo of its compiled form (the only write that a snapshot knows). */
export class ResourceCell<Compiled extends object> {
  #compiled: Compiled | undefined;
  #former: Compiled | undefined;

  /** `former` is what was compiled of an earlier version; it is let go as soon as this one is compiled. */
  constructor(
    readonly raw: RawResource,
    former?: Compiled,
  ) {
    this.#former = former;
  }

  /** The compiled form, made on first use, out of the former one where that saves work. */
  get(compile: (raw: RawResource, former: Compiled | undefined) => Compiled): Compiled {
    if (this.#compiled === undefined) {
      this.#compiled = compile(this.raw, this.#former);
      this.#former = undefined;
    }
    return this.#compiled;
  }

  /** The latest version that was compiled: this one's form, or else an earlier one's. */
  get latest(): Compiled | undefined {
    return this.#compiled ?? this.#former;
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
    cells.set(name, known?.raw.version === raw.version ? known : new ResourceCell<Compiled>(raw, known?.latest));
  }
  return cells;
}
