// Earliest-deadline-first schedule: weighted round robin without bursts (Envoy: source/common/upstream/edf_scheduler.h).

interface Entry<T> {
  deadline: number;
  /** Ties go to the entry that was queued first. */
  order: number;
  readonly item: T;
}

export class EdfSchedule<T> {
  readonly #heap: Entry<T>[] = [];
  #time = 0;
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Queues an item; it is due after 1/weight of virtual time. */
  add(item: T, weight: number): void {
    this.#push({ deadline: this.#time + 1 / weight, order: this.#order++, item });
  }

  /** The next item, queued again under the weight that `weightOf` gives now. */
  next(weightOf: (item: T) => number): T | undefined {
    const top = this.#heap[0];
    if (top === undefined) return undefined;
    this.#time = top.deadline;
    top.deadline += 1 / weightOf(top.item);
    top.order = this.#order++;
    this.#siftDown(0);
    return top.item;
  }

  #before(a: Entry<T>, b: Entry<T>): boolean {
    return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
  }

  #push(entry: Entry<T>): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Entry<T>;
      if (!this.#before(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #siftDown(start: number): void {
    const heap = this.#heap;
    const entry = heap[start] as Entry<T>;
    let index = start;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && this.#before(right, left)) child += 1;
      const least = heap[child] as Entry<T>;
      if (!this.#before(least, entry)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = entry;
  }
}
