// The inbound side of a snapshot: all inbound listeners, joined on first use and kept while none of them (nor a route table that they name) changes.
import type { RawResource } from '@heddle/xds';
import type { ResourceView } from '../../feed/resource-view.js';
import { CompileReport } from '../compile-report.js';
import { HeldStates } from '../filter-states.js';
import type { InboundSnapshot } from '../inbound-snapshot.js';
import { type InboundDeps, compileInboundListener, joinInbound } from './inbound-compile.js';
import { isInboundName } from './listener-parse.js';
import { decodeListener, resourceLabel } from '../resource/resource-decode.js';
import { wireSource } from '../route/table-source.js';

interface Joined {
  readonly snapshot: InboundSnapshot | undefined;
  readonly compiled: readonly { readonly raw: RawResource; readonly report: CompileReport }[];
  /** Route tables that it was compiled with, to see whether it still holds. */
  readonly routes: ReadonlyMap<string, RawResource | undefined>;
  readonly states: HeldStates;
}

export class InboundJoin {
  readonly #listeners: readonly RawResource[];
  #joined: Joined | undefined;
  /** The latest joined form of an earlier configuration, until this one is made. */
  #former: Joined | undefined;

  constructor(
    private readonly view: ResourceView,
    previous: InboundJoin | undefined,
    private readonly deps: Omit<InboundDeps, 'routes'>,
  ) {
    this.#listeners = [...view.listeners.values()].filter((raw) => isInboundName(raw.name));
    if (previous === undefined) return;
    const last = previous.#joined;
    if (last !== undefined && previous.sameListeners(this.#listeners) && this.#sameRoutes(last)) this.#joined = last;
    else this.#former = last ?? previous.#former;
  }

  /** Undefined when the feed sends no inbound listener. */
  get snapshot(): InboundSnapshot | undefined {
    return this.compileNow().snapshot;
  }

  /** Compiles what is not compiled yet. */
  compileNow(): Joined {
    if (this.#joined === undefined) {
      this.#joined = this.#join();
      this.#former = undefined;
    }
    return this.#joined;
  }

  /** Keys of the states that its filters hold. Where an earlier configuration held some, this one is made first, so that none is lost. */
  stateKeys(): Iterable<string> {
    const held = this.#joined ?? this.#former;
    return held === undefined || held.states.keys.size === 0 ? [] : this.compileNow().states.keys;
  }

  /** What was compiled so far, with its reports. */
  compiled(): Joined['compiled'] {
    return this.#joined?.compiled ?? [];
  }

  sameListeners(listeners: readonly RawResource[]): boolean {
    return (
      listeners.length === this.#listeners.length &&
      listeners.every(
        (raw, index) => raw.name === this.#listeners[index]?.name && raw.version === this.#listeners[index].version,
      )
    );
  }

  #sameRoutes(last: Joined): boolean {
    for (const [name, raw] of last.routes) if (this.view.routes.get(name)?.version !== raw?.version) return false;
    return true;
  }

  #join(): Joined {
    const routes = new Map<string, RawResource | undefined>();
    const states = new HeldStates(this.deps.filterState);
    const deps: InboundDeps = {
      ...this.deps,
      filterState: states,
      routes: (name) => {
        const raw = this.view.routes.get(name);
        routes.set(name, raw);
        return raw === undefined ? undefined : { source: wireSource(raw), version: raw.version };
      },
    };
    const compiled = this.#listeners.map((raw) => {
      const report = new CompileReport(resourceLabel(raw));
      const inbound = compileInboundListener(decodeListener(raw), raw.version, deps, report);
      // The inspector refuses such a listener before it gets here; if one does, nobody may come in through it.
      return {
        raw,
        report,
        inbound: report.faults.length === 0 ? inbound : { chains: [], fallback: undefined, version: raw.version },
      };
    });
    const snapshot = compiled.length === 0 ? undefined : joinInbound(compiled.map(({ inbound }) => inbound));
    return { snapshot, compiled, routes, states };
  }
}
