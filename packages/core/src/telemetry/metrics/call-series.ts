// The cells of one label set: a call's four Istio metrics (or the TCP ones) in one flat array, so that recording is a few additions.
import type { CallRecord } from '../call-record.js';
import { BUCKET_COUNT, bucketIndex } from './histogram-buckets.js';

/** Cells before the buckets: count and three sums. */
const COUNT = 0;
const FIRST_SUM = 1;
const FIRST_BUCKET = 4;

/** The histograms of a series, in the order of their cells. */
export type HistogramKind = 'duration' | 'requestBytes' | 'responseBytes';
const HISTOGRAM_INDEX: Readonly<Record<HistogramKind, number>> = { duration: 0, requestBytes: 1, responseBytes: 2 };

export class CallSeries {
  /** `name="value",…` without braces, escaped. */
  readonly labels: string;
  readonly tcp: boolean;
  /** Monotonic time of the last call. */
  lastMs = 0;
  readonly #cells: Float64Array;

  constructor(labels: string, tcp: boolean) {
    this.labels = labels;
    this.tcp = tcp;
    this.#cells = new Float64Array(tcp ? FIRST_BUCKET : FIRST_BUCKET + 3 * BUCKET_COUNT);
  }

  record(call: CallRecord): void {
    const cells = this.#cells;
    const elapsedMs = call.endMs - call.startMs;
    const requestBytes = call.requestBytes > 0 ? call.requestBytes : 0;
    const responseBytes = call.responseBytes > 0 ? call.responseBytes : 0;
    // Whole milliseconds, cut off as Envoy does; a clock that misbehaves counts as 0.
    const durationMs = elapsedMs > 0 ? Math.floor(elapsedMs) : 0;
    this.lastMs = call.endMs;
    cells[COUNT] = (cells[COUNT] as number) + 1;
    cells[FIRST_SUM] = (cells[FIRST_SUM] as number) + durationMs;
    cells[FIRST_SUM + 1] = (cells[FIRST_SUM + 1] as number) + requestBytes;
    cells[FIRST_SUM + 2] = (cells[FIRST_SUM + 2] as number) + responseBytes;
    if (this.tcp) return;
    increment(cells, FIRST_BUCKET + bucketIndex(durationMs));
    increment(cells, FIRST_BUCKET + BUCKET_COUNT + bucketIndex(requestBytes));
    increment(cells, FIRST_BUCKET + 2 * BUCKET_COUNT + bucketIndex(responseBytes));
  }

  get count(): number {
    return this.#cells[COUNT] as number;
  }

  sum(kind: HistogramKind): number {
    return this.#cells[FIRST_SUM + HISTOGRAM_INDEX[kind]] as number;
  }

  /** Calls in one bucket alone (exposition adds them up). */
  bucket(kind: HistogramKind, index: number): number {
    return this.#cells[FIRST_BUCKET + HISTOGRAM_INDEX[kind] * BUCKET_COUNT + index] as number;
  }
}

function increment(cells: Float64Array, index: number): void {
  cells[index] = (cells[index] as number) + 1;
}
