// Keeps what was made from the same inputs. Translation is pure; this is the only thing it remembers, and its owner is the feed.

interface Made {
  readonly inputs: readonly unknown[];
  readonly value: unknown;
}

/** One for each workload class. `next` starts a pass: what a pass does not ask for again is forgotten by the one after it. */
export class Reuse {
  #former = new Map<string, Made>();
  #current = new Map<string, Made>();

  next(): void {
    this.#former = this.#current;
    this.#current = new Map();
  }

  /** The value made before for `key` when every input is the same one, else a new one. `make` must depend on nothing else. */
  of<T>(key: string, inputs: readonly unknown[], make: () => T): T {
    const known = this.#current.get(key) ?? this.#former.get(key);
    const same = known !== undefined && sameInputs(known.inputs, inputs);
    const entry = same ? known : { inputs, value: make() };
    this.#current.set(key, entry);
    return entry.value as T;
  }
}

function sameInputs(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((input, index) => Object.is(input, b[index]));
}
