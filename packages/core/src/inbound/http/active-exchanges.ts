// The requests that have begun and not ended: a list whose links lie in the exchanges themselves, since every request enters and leaves it.
import type { InboundExchange } from './inbound-exchange.js';

export class ActiveExchanges {
  #first: InboundExchange | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(exchange: InboundExchange): void {
    const next = this.#first;
    exchange.next = next;
    if (next !== undefined) next.previous = exchange;
    this.#first = exchange;
    this.#size++;
  }

  remove(exchange: InboundExchange): void {
    const { previous, next } = exchange;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    exchange.previous = exchange.next = undefined;
    this.#size--;
  }

  *[Symbol.iterator](): Generator<InboundExchange> {
    let exchange = this.#first;
    while (exchange !== undefined) {
      const { next } = exchange;
      yield exchange;
      exchange = next;
    }
  }
}
