// One pass of a call through its HTTP filters: in order, with delays, decisions that take I/O, and changes to the request between them.
import { MeshError } from '../../errors.js';
import type { FilterAction, FilterContext, HttpFilter } from '../../filters/http-filter.js';
import { localReply, type LocalReply } from './local-reply.js';
import type { OutboundHead } from './outbound-head.js';

export type FilterOutcome =
  | { readonly kind: 'go-on' }
  | { readonly kind: 'reply'; readonly reply: LocalReply }
  | { readonly kind: 'delay'; readonly delayMs: number; readonly flag: string }
  | { readonly kind: 'pending'; readonly result: Promise<FilterAction | undefined> };

const GO_ON: FilterOutcome = { kind: 'go-on' };
type DelayAction = Extract<FilterAction, { kind: 'delay' }>;

export class FilterRun {
  /** Headers that filters add to the response. */
  readonly responseHeaders: (readonly [string, string])[] = [];
  readonly #filters: readonly HttpFilter[];
  readonly #head: OutboundHead;
  #index = 0;
  #delay: DelayAction | undefined = undefined;

  constructor(filters: readonly HttpFilter[], head: OutboundHead) {
    this.#filters = filters;
    this.#head = head;
  }

  /** Runs filters until one holds or answers the call. */
  next(context: FilterContext): FilterOutcome {
    for (;;) {
      const filter = this.#filters[this.#index];
      if (filter === undefined) return GO_ON;
      this.#index += 1;
      const outcome = this.#act(this.#decide(filter, context));
      if (outcome !== undefined) return outcome;
    }
  }

  /** The delay is over: its reply, or the next filters. */
  afterDelay(context: FilterContext): FilterOutcome {
    const delay = this.#delay;
    this.stop();
    if (delay?.thenReply !== undefined) return { kind: 'reply', reply: delay.thenReply };
    return this.next(context);
  }

  /** A pending decision has come. */
  settled(action: FilterAction | undefined, context: FilterContext): FilterOutcome {
    return this.#act(action) ?? this.next(context);
  }

  /** Ends the current delay, over or not. */
  stop(): void {
    const delay = this.#delay;
    this.#delay = undefined;
    delay?.onDone?.();
  }

  /** A filter that throws must not let the request pass, nor take the process down. */
  #decide(filter: HttpFilter, context: FilterContext): FilterAction | undefined {
    try {
      return filter.decide(this.#head, context);
    } catch (error) {
      const code = MeshError.is(error) ? error.code : 'INTERNAL';
      return { kind: 'reply', ...localReply(code, { details: `filter_failed{${filter.name}}` }), code };
    }
  }

  #act(action: FilterAction | undefined): FilterOutcome | undefined {
    if (action === undefined) return undefined;
    switch (action.kind) {
      case 'reply':
        return { kind: 'reply', reply: action };
      case 'delay':
        this.#delay = action;
        return { kind: 'delay', delayMs: action.delayMs, flag: action.flag };
      case 'pending':
        return { kind: 'pending', result: action.result };
      case 'amend':
        for (const name of action.removeRequestHeaders) this.#head.removeHeader(name.toLowerCase());
        for (const [name, value] of action.setRequestHeaders) this.#head.setHeader(name.toLowerCase(), value);
        this.responseHeaders.push(...action.setResponseHeaders);
        this.#head.addMetadata(action.dynamicMetadata);
        return undefined;
    }
  }
}
