// The Prometheus text format 0.0.4, made in pieces: a thousand label sets are 80 MB of text, and no piece may hold the event loop.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CallSeries, HistogramKind } from './call-series.js';
import { BUCKET_COUNT, BUCKET_LABELS } from './histogram-buckets.js';
import { formatLabels } from './label-text.js';
import { type RegisteredMetric, collectSamples } from './metric-registry.js';

export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Characters after which the loop gets a turn: well under a millisecond's work. */
const SLICE_LENGTH = 64 * 1024;

interface Counter {
  readonly name: string;
  readonly help: string;
  readonly value: (series: CallSeries) => number;
}

const REQUESTS: Counter = {
  name: 'istio_requests_total',
  help: 'Requests, one per downstream request.',
  value: (series) => series.count,
};

const HISTOGRAMS: readonly { readonly name: string; readonly help: string; readonly kind: HistogramKind }[] = [
  { name: 'istio_request_duration_milliseconds', help: 'Duration of requests in milliseconds.', kind: 'duration' },
  { name: 'istio_request_bytes', help: 'Size of requests in bytes.', kind: 'requestBytes' },
  { name: 'istio_response_bytes', help: 'Size of responses in bytes.', kind: 'responseBytes' },
];

/** Directions are seen from the downstream, as Istio counts them (istio/istio#32399). */
const TCP_COUNTERS: readonly Counter[] = [
  { name: 'istio_tcp_connections_opened_total', help: 'TCP connections opened.', value: (series) => series.count },
  { name: 'istio_tcp_connections_closed_total', help: 'TCP connections closed.', value: (series) => series.count },
  {
    name: 'istio_tcp_sent_bytes_total',
    help: 'Bytes sent to the downstream.',
    value: (series) => series.sum('responseBytes'),
  },
  {
    name: 'istio_tcp_received_bytes_total',
    help: 'Bytes received from the downstream.',
    value: (series) => series.sum('requestBytes'),
  },
];

/** All families, in pieces of one family's head or one series; the caller joins and paces them. */
export function* expositionPieces(
  series: readonly CallSeries[],
  registered: readonly RegisteredMetric[],
): Generator<string> {
  const http = series.filter((entry) => !entry.tcp);
  const tcp = series.filter((entry) => entry.tcp);
  yield* counterPieces(REQUESTS, http);
  for (const histogram of HISTOGRAMS) {
    if (http.length > 0) yield familyHead(histogram.name, histogram.help, 'histogram');
    for (const entry of http) yield histogramText(histogram.name, histogram.kind, entry);
  }
  for (const counter of TCP_COUNTERS) yield* counterPieces(counter, tcp);
  for (const metric of registered) yield registeredText(metric);
}

/** The text in slices, with a turn of the event loop after each. */
export async function* expositionSlices(
  series: readonly CallSeries[],
  registered: readonly RegisteredMetric[],
): AsyncGenerator<string> {
  let pieces: string[] = [];
  let length = 0;
  for (const piece of expositionPieces(series, registered)) {
    pieces.push(piece);
    length += piece.length;
    if (length < SLICE_LENGTH) continue;
    yield pieces.join('');
    pieces = [];
    length = 0;
    await nextTurn();
  }
  if (length > 0) yield pieces.join('');
}

function* counterPieces(counter: Counter, series: readonly CallSeries[]): Generator<string> {
  if (series.length === 0) return;
  yield familyHead(counter.name, counter.help, 'counter');
  for (const entry of series) yield counter.name + '{' + entry.labels + '} ' + String(counter.value(entry)) + '\n';
}

/** Joined, not concatenated: a rope of ten thousand short strings costs the collector more than the text itself. */
function histogramText(name: string, kind: HistogramKind, series: CallSeries): string {
  const head = name + '_bucket{' + series.labels + ',le="';
  const parts: string[] = [];
  let count = 0;
  for (let index = 0; index < BUCKET_COUNT; index++) {
    count += series.bucket(kind, index);
    parts.push(head, BUCKET_LABELS[index] as string, '"} ', String(count), '\n');
  }
  parts.push(name, '_sum{', series.labels, '} ', String(series.sum(kind)), '\n');
  parts.push(name, '_count{', series.labels, '} ', String(count), '\n');
  return parts.join('');
}

function registeredText(metric: RegisteredMetric): string {
  const samples = collectSamples(metric);
  if (samples === undefined || samples.length === 0) return '';
  let text = familyHead(metric.name, metric.help, metric.type);
  for (const { labels, value } of samples) {
    const pairs = formatLabels(Object.entries(labels ?? {}));
    text += metric.name + (pairs === '' ? '' : '{' + pairs + '}') + ' ' + formatValue(value) + '\n';
  }
  return text;
}

function familyHead(name: string, help: string, type: string): string {
  const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return '# HELP ' + name + ' ' + escaped + '\n# TYPE ' + name + ' ' + type + '\n';
}

function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
