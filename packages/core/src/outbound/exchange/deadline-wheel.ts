// The deadlines of all calls in one timer: a wheel of 20 ms slots with intrusive lists, so that setting and clearing costs a few nanoseconds. A deadline
// fires up to two slots late, never early. Nothing runs while no call is open.
import type { Clock } from '../../clock.js';

const SLOT_MS = 20;
const SLOTS = 512;

/** What a call carries to lie in the wheel. The fields belong to the wheel alone; they begin as Infinity, undefined, undefined and -1. */
export interface WheelNode {
  dueMs: number;
  previousNode: WheelNode | undefined;
  nextNode: WheelNode | undefined;
  slot: number;
  onDue(nowMs: number): void;
}

export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #heads: (WheelNode | undefined)[] = new Array<WheelNode | undefined>(SLOTS).fill(undefined);
  #size = 0;
  #ticking = false;
  /** Number of the last slot that was looked at, counted from time 0. */
  #lastSlot = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  /** Sets or moves a deadline; Infinity clears it. */
  set(node: WheelNode, dueMs: number, nowMs: number): void {
    if (node.dueMs === dueMs) return;
    if (node.slot >= 0) this.#unlink(node);
    node.dueMs = dueMs;
    if (dueMs === Infinity) return;
    if (!this.#ticking) this.#start(nowMs);
    this.#link(node);
  }

  #link(node: WheelNode): void {
    // Beyond the span a node waits in the farthest slot and is put back from there.
    const due = Math.floor(node.dueMs / SLOT_MS) + 1;
    const slot = Math.min(Math.max(due, this.#lastSlot + 1), this.#lastSlot + SLOTS - 1) % SLOTS;
    const head = this.#heads[slot];
    node.slot = slot;
    node.previousNode = undefined;
    node.nextNode = head;
    if (head !== undefined) head.previousNode = node;
    this.#heads[slot] = node;
    this.#size += 1;
  }

  #unlink(node: WheelNode): void {
    const { previousNode, nextNode } = node;
    if (previousNode === undefined) this.#heads[node.slot] = nextNode;
    else previousNode.nextNode = nextNode;
    if (nextNode !== undefined) nextNode.previousNode = previousNode;
    node.previousNode = node.nextNode = undefined;
    node.slot = -1;
    this.#size -= 1;
  }

  #start(nowMs: number): void {
    this.#ticking = true;
    this.#lastSlot = Math.floor(nowMs / SLOT_MS);
    this.#clock.after(SLOT_MS, this.#tick);
  }

  readonly #tick = (): void => {
    const nowMs = this.#clock.nowMs();
    const nowSlot = Math.floor(nowMs / SLOT_MS);
    // After a stall longer than the span, one turn sees every slot.
    const first = Math.max(this.#lastSlot + 1, nowSlot - SLOTS + 1);
    const due: WheelNode[] = [];
    for (let slot = first; slot <= nowSlot; slot++) {
      this.#lastSlot = slot;
      this.#collect(slot % SLOTS, nowMs, due);
    }
    for (const node of due) if (node.slot < 0 && node.dueMs <= nowMs) this.#fire(node, nowMs);
    if (this.#size > 0) this.#clock.after(SLOT_MS, this.#tick);
    else this.#ticking = false;
  };

  #collect(slot: number, nowMs: number, due: WheelNode[]): void {
    let node = this.#heads[slot];
    while (node !== undefined) {
      const next: WheelNode | undefined = node.nextNode;
      this.#unlink(node);
      if (node.dueMs <= nowMs) due.push(node);
      else this.#link(node);
      node = next;
    }
  }

  #fire(node: WheelNode, nowMs: number): void {
    node.dueMs = Infinity;
    node.onDue(nowMs);
  }
}
