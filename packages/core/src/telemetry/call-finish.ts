// The end of a call: counted, logged where asked for; what goes wrong here never reaches the request.
import type { AccessLog } from './access-log/access-log.js';
import type { CallRecord } from './call-record.js';
import type { SeriesTable } from './metrics/series-table.js';

export class CallFinish {
  readonly #series: SeriesTable;
  readonly #log: AccessLog | undefined;
  /** Calls that could not be counted or logged, for the metric of that name. */
  failures = 0;

  constructor(series: SeriesTable, log: AccessLog | undefined) {
    this.#series = series;
    this.#log = log;
  }

  get isLogged(): boolean {
    return this.#log !== undefined;
  }

  finish(call: CallRecord): void {
    try {
      this.#series.record(call);
      if (this.#log !== undefined) this.#log(call);
    } catch {
      this.failures++;
    }
  }
}
