// The inbound side of a snapshot: all inbound listeners, joined on first use and kept while none of them (nor a route table that they name) changes.
import type { RawResource } from '@heddle/xds';
import type { ResourceView } from '../../feed/resource-view.js';
import { CompileReport } from '../compile-report.js';
import type { InboundSnapshot } from '../inbound-snapshot.js';
import { type InboundDeps, compileInboundListener, joinInbound } from './inbound-compile.js';
import { isInboundName } from './listener-parse.js';
import { decodeListener, decodeRoutes, resourceLabel } from '../resource/resource-decode.js';

interface Joined {
  readonly snapshot: InboundSnapshot | undefined;
  readonly compiled: readonly { readonly raw: RawResource; readonly report: CompileReport }[];
  /** Route tables that it was compiled with, to see whether it still holds. */
  readonly routes: ReadonlyMap<string, RawResource | undefined>;
}

export class InboundJoin {
  readonly #listeners: readonly RawResource[];
  #joined: Joined | undefined;

  constructor(
    private readonly view: ResourceView,
    previous: InboundJoin | undefined,
    private readonly deps: Omit<InboundDeps, 'routes'>,
  ) {
    this.#listeners = [...view.listeners.values()].filter((raw) => isInboundName(raw.name));
    const last = previous === undefined ? undefined : previous.#joined;
    if (last !== undefined && previous?.sameListeners(this.#listeners) === true && this.#sameRoutes(last))
      this.#joined = last;
  }

  /** Undefined when the feed sends no inbound listener. */
  get snapshot(): InboundSnapshot | undefined {
    return this.compileNow().snapshot;
  }

  /** Compiles what is not compiled yet. */
  compileNow(): Joined {
    return (this.#joined ??= this.#join());
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
    const deps: InboundDeps = {
      ...this.deps,
      routes: (name) => {
        const raw = this.view.routes.get(name);
        routes.set(name, raw);
        return raw === undefined ? undefined : { message: decodeRoutes(raw), version: raw.version };
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
    return { snapshot, compiled, routes };
  }
}
