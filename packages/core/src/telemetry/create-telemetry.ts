// Puts telemetry together for one mesh: propagation, spans, metrics, access log.
import type { RequestListener } from 'node:http';
import type { Clock } from '../clock.js';
import type { Draws } from '../draws.js';
import { type AccessLogSink, createAccessLog } from './access-log/access-log.js';
import { CallFinish } from './call-finish.js';
import type { InboundTelemetry, OutboundTelemetry } from './call-telemetry.js';
import { createContextCarrier } from './context-carrier.js';
import { createInboundTelemetry } from './inbound-telemetry.js';
import { type MetricCollector, MetricRegistry } from './metrics/metric-registry.js';
import { createMetricsListener } from './metrics/metrics-listener.js';
import { type SeriesLimits, SeriesTable } from './metrics/series-table.js';
import { expositionSlices } from './metrics/text-exposition.js';
import { OwnPeerMetadata } from './metrics/peer-metadata.js';
import { type TelemetryNode, nodeIdOf, ownWorkloadLabels } from './metrics/workload-labels.js';
import { createOutboundTelemetry } from './outbound-telemetry.js';
import type { ExtractOptions } from './propagation/extract-context.js';
import { createIdSource, entropySeed } from './propagation/id-source.js';
import { type OtelLookup, createOtelLookup } from './spans/otel-api.js';
import { SpanSource } from './spans/span-source.js';

export interface TelemetryOptions {
  readonly node: TelemetryNode;
  /** The SPIFFE id of this workload's current certificate; undefined while it has none. */
  readonly ownPrincipal: () => string | undefined;
  readonly clock: Clock;
  /** Decides sampling (`trace-sampling`) of traces that begin here without a tracer. */
  readonly draws: Draws;
  /** Header names that go from the inbound request to every outbound call, e.g. `x-canary-user`. Any case; default none. */
  readonly forwardHeaders?: readonly string[] | undefined;
  /** Share of the traces begun here, without OpenTelemetry, that are flagged as sampled; 0 to 1. Default 0.01, as Istio (PILOT_TRACE_SAMPLING). */
  readonly traceSampling?: number | undefined;
  /** Where a line per call goes; default: no access log. */
  readonly accessLog?: AccessLogSink | undefined;
  readonly limits?: SeriesLimits | undefined;
  /** Four words that ids are drawn from; default: the system's entropy. Only tests pass it. */
  readonly idSeed?: Uint32Array | undefined;
  /** Looks for a registered OpenTelemetry; default: the global one. */
  readonly otel?: OtelLookup | undefined;
}

export interface Metrics {
  /** Adds a gauge that `collect` answers at each scrape; returns the function that removes it. Throws MeshError CONFIG_INVALID on a bad or taken name. */
  registerGauge(name: string, help: string, collect: MetricCollector): () => void;
  /** As registerGauge; `name` should end in `_total`. */
  registerCounter(name: string, help: string, collect: MetricCollector): () => void;
  /** The whole exposition (Prometheus text 0.0.4). Made in slices, but held as a whole: 60 KB a label set; `listener` streams it. */
  renderMetrics(): Promise<string>;
}

export interface Telemetry {
  readonly outbound: OutboundTelemetry;
  readonly inbound: InboundTelemetry;
  readonly metrics: Metrics;
  /** Serves /metrics and /stats/prometheus. */
  readonly listener: RequestListener;
  /** Forgets registered collectors and what they hold. */
  close(): void;
}

const DEFAULT_TRACE_SAMPLING = 0.01;

export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { node, clock } = options;
  const series = new SeriesTable(ownWorkloadLabels(node), options.ownPrincipal, options.limits);
  const log = options.accessLog === undefined ? undefined : createAccessLog(options.accessLog, clock);
  const calls = new CallFinish(series, log);
  const carrier = createContextCarrier();
  const spans = new SpanSource(options.otel ?? createOtelLookup(), spanNode(node), node.version ?? '');
  const propagation = propagationOptions(options, spans);
  const peerMetadata = new OwnPeerMetadata(node);
  const registry = new MetricRegistry();
  registerOwn(registry, node, series, calls);
  const slices = (): AsyncGenerator<string> => expositionSlices(series.current(clock.nowMs()), registry.all());
  return {
    outbound: createOutboundTelemetry(carrier, spans, propagation, calls, peerMetadata),
    inbound: createInboundTelemetry(carrier, spans, propagation, calls, peerMetadata),
    metrics: createMetrics(registry, slices),
    listener: createMetricsListener(slices),
    close: () => registry.clear(),
  };
}

function propagationOptions(options: TelemetryOptions, spans: SpanSource): ExtractOptions {
  const share = options.traceSampling ?? DEFAULT_TRACE_SAMPLING;
  return {
    ids: createIdSource(options.idSeed ?? entropySeed()),
    forwardHeaders: (options.forwardHeaders ?? []).map((name) => name.toLowerCase()),
    decideSampling: () => options.draws('trace-sampling') < share,
    tracerStartsTraces: () => spans.isRecording(),
  };
}

function createMetrics(registry: MetricRegistry, slices: () => AsyncIterable<string>): Metrics {
  return {
    registerGauge: (name, help, collect) => registry.register({ name, help, type: 'gauge', collect }),
    registerCounter: (name, help, collect) => registry.register({ name, help, type: 'counter', collect }),
    async renderMetrics() {
      let text = '';
      for await (const slice of slices()) text += slice;
      return text;
    },
  };
}

function spanNode(node: TelemetryNode) {
  const own = ownWorkloadLabels(node);
  return {
    nodeId: nodeIdOf(node),
    namespace: node.namespace,
    canonicalService: own.canonicalService,
    canonicalRevision: own.canonicalRevision,
    clusterId: node.clusterId,
    meshId: node.meshId ?? node.trustDomain,
  };
}

function registerOwn(registry: MetricRegistry, node: TelemetryNode, series: SeriesTable, calls: CallFinish): void {
  const labels = { component: 'proxy', tag: node.version ?? 'unknown' };
  const add = (name: string, help: string, type: 'gauge' | 'counter', collect: MetricCollector) =>
    registry.register({ name, help, type, collect });
  add('istio_build', 'Build of the data plane in this process.', 'gauge', () => [{ labels, value: 1 }]);
  add('heddle_telemetry_series', 'Label sets of calls that are kept.', 'gauge', () => series.size);
  add('heddle_telemetry_overflow_total', 'Calls counted in overflow series.', 'counter', () => series.overflowed);
  add('heddle_telemetry_failures_total', 'Calls that could not be counted or logged.', 'counter', () => calls.failures);
}
