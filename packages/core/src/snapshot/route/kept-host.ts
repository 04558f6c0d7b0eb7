// A virtual host that a table keeps compiled, apart from its position: later versions of the table take it over while its bytes stay the same.
import { type RouteConfiguration, VirtualHostSchema } from '@heddle/xds';
import { CompileReport } from '../compile-report.js';
import { HeldStates } from '../filter-states.js';
import type { Compiled } from '../support/unsupported-fields.js';
import { type TableFilters, hostScope } from './route-scope.js';
import type { HostSource } from './table-source.js';
import { CompiledVirtualHost } from './virtual-host.js';

export class KeptHost {
  readonly compiled: CompiledVirtualHost;
  readonly #report: CompileReport;
  readonly #states: HeldStates | undefined;
  readonly #index: number;
  #source: HostSource;

  constructor(
    source: HostSource,
    index: number,
    frame: RouteConfiguration,
    filters: TableFilters | undefined,
    resource: string,
  ) {
    this.#source = source;
    this.#index = index;
    this.#report = new CompileReport(resource);
    this.#states = filters === undefined ? undefined : new HeldStates(filters.state);
    const own = filters === undefined || this.#states === undefined ? undefined : { ...filters, state: this.#states };
    const message = source.decode();
    const path = `virtual_hosts[${index}]`;
    this.compiled = new CompiledVirtualHost(message, hostScope(message, path, frame, own), path, this.#report);
  }

  get source(): HostSource {
    return this.#source;
  }

  /** The same virtual host, read from an equal source; the former source (and the bytes of its whole table) can go. */
  from(source: HostSource): this {
    this.#source = source;
    return this;
  }

  get stateKeys(): ReadonlySet<string> {
    return this.#states?.keys ?? NO_KEYS;
  }

  /** What it has to say, at the position where it stands now. */
  part(index: number): Compiled {
    const source = this.#source;
    return {
      report: this.#report,
      typeName: VirtualHostSchema.typeName,
      message: () => source.decode(),
      path: { compiledAt: `$.virtual_hosts[${this.#index}]`, at: `$.virtual_hosts[${index}]` },
    };
  }
}

const NO_KEYS: ReadonlySet<string> = new Set();
