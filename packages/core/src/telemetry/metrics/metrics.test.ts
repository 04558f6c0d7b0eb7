import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StructSchema, fromBinary, toJson } from '@heddle/xds';
import type { Clock } from '../../clock.js';
import { callRecord } from '../../testing/call-records.js';
import { parseExposition } from '../../testing/prometheus-text.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import type { CallRecord } from '../call-record.js';
import { type Telemetry, createTelemetry } from '../create-telemetry.js';
import { PeerCache, decodePeerMetadata, peerMetadataHeader } from './peer-metadata.js';
import type { SeriesLimits } from './series-table.js';

/** Istio's labels of HTTP metrics, in its order (istio/proxy: istio_stats.cc). */
const ISTIO_LABELS =
  'reporter source_workload source_workload_namespace source_principal source_app source_version source_canonical_service ' +
  'source_canonical_revision source_cluster destination_workload destination_workload_namespace destination_principal ' +
  'destination_app destination_version destination_canonical_service destination_canonical_revision destination_cluster ' +
  'destination_service destination_service_name destination_service_namespace request_protocol response_code ' +
  'grpc_response_status response_flags connection_security_policy';

/** The labels on which both sides of an edge must agree, or Kiali draws it twice. */
const KIALI_KEYS =
  'source_cluster source_workload_namespace source_workload source_canonical_service source_canonical_revision destination_cluster ' +
  'destination_service_namespace destination_service destination_service_name destination_workload_namespace destination_workload ' +
  'destination_canonical_service destination_canonical_revision request_protocol response_code grpc_response_status response_flags';

const node = (app: string) => ({
  workload: `${app}-v1`,
  namespace: 'default',
  labels: { app, version: 'v1' },
  serviceAccount: `bookinfo-${app}`,
  clusterId: 'Kubernetes',
  trustDomain: 'cluster.local',
  version: '0.1.0',
});
const principal = (app: string) => `spiffe://cluster.local/ns/default/sa/bookinfo-${app}`;

function telemetryOf(app: string, limits?: SeriesLimits, clock: Clock = new VirtualClock()): Telemetry {
  return createTelemetry({ node: node(app), ownPrincipal: () => principal(app), clock, draws: () => 0.5, limits });
}

const samplesOf = async (telemetry: Telemetry, name: string) =>
  parseExposition(await telemetry.metrics.renderMetrics()).filter((sample) => sample.name === name);

const inboundCall = (changes: Partial<CallRecord> = {}) =>
  callRecord({
    reporter: 'destination',
    destinationWorkload: '',
    peerPrincipal: principal('productpage'),
    mutualTls: true,
    peerMetadata: peerMetadataHeader(node('productpage')),
    ...changes,
  });

describe('the metrics of a call', () => {
  it("have exactly Istio's 25 labels at both reporters", async () => {
    const source = telemetryOf('productpage');
    source.outbound.finish(callRecord());
    const destination = telemetryOf('details');
    destination.inbound.finish(inboundCall());
    for (const telemetry of [source, destination]) {
      const [requests] = await samplesOf(telemetry, 'istio_requests_total');
      expect(Object.keys(requests!.labels).join(' ')).toBe(ISTIO_LABELS);
    }
  });

  it('let Kiali join both sides of an edge, with mutual TLS seen at the server', async () => {
    const source = telemetryOf('productpage');
    source.outbound.finish(callRecord());
    const destination = telemetryOf('details');
    destination.inbound.finish(inboundCall());
    const [client] = await samplesOf(source, 'istio_requests_total');
    const [server] = await samplesOf(destination, 'istio_requests_total');
    for (const key of KIALI_KEYS.split(' ')) expect([key, server!.labels[key]]).toEqual([key, client!.labels[key]]);
    expect(client!.labels).toMatchObject({
      source_principal: principal('productpage'),
      destination_principal: principal('details'),
      source_app: 'productpage',
      destination_app: 'unknown',
      destination_service: 'details.default.svc.cluster.local',
      destination_service_name: 'details',
      connection_security_policy: 'unknown',
    });
    expect(server!.labels).toMatchObject({
      source_principal: principal('productpage'),
      destination_principal: principal('details'),
      source_app: 'productpage',
      destination_app: 'details',
      connection_security_policy: 'mutual_tls',
    });
  });

  it('count requests, whole milliseconds and bytes in buckets that add up', async () => {
    const telemetry = telemetryOf('productpage');
    telemetry.outbound.finish(callRecord());
    telemetry.outbound.finish(callRecord({ startMs: 0, endMs: 5.9, requestBytes: 0, responseBytes: 1e9 }));
    const text = await telemetry.metrics.renderMetrics();
    const samples = parseExposition(text);
    const value = (name: string) => samples.find((sample) => sample.name === name)!.value;
    expect(value('istio_requests_total')).toBe(2);
    expect(value('istio_request_duration_milliseconds_sum')).toBe(12 + 5);
    expect(value('istio_request_duration_milliseconds_count')).toBe(2);
    expect(value('istio_request_bytes_sum')).toBe(120);
    expect(value('istio_response_bytes_sum')).toBe(1e9 + 900);
    const buckets = samples.filter((sample) => sample.name === 'istio_request_duration_milliseconds_bucket');
    expect(buckets.map((bucket) => bucket.labels['le']).join(' ')).toBe(
      '0.5 1 5 10 25 50 100 250 500 1000 2500 5000 10000 30000 60000 300000 600000 1800000 3600000 +Inf',
    );
    expect(buckets.map((bucket) => bucket.value)).toEqual([0, 0, 1, 1, ...new Array<number>(16).fill(2)]);
    expect(text).toContain('# TYPE istio_request_bytes histogram\n');
    expect(text).toContain('istio_build{component="proxy",tag="0.1.0"} 1\n');
  });

  it('say - for no flags, 0 for no response, and leave the gRPC status empty for HTTP only', async () => {
    const telemetry = telemetryOf('productpage');
    telemetry.outbound.finish(callRecord({ status: 0, flags: 'DC' }));
    telemetry.outbound.finish(callRecord({ protocol: 'grpc', grpcStatus: 14, flags: 'UF,URX' }));
    telemetry.outbound.finish(callRecord());
    const rows = (await samplesOf(telemetry, 'istio_requests_total')).map(({ labels }) =>
      ['request_protocol', 'response_code', 'grpc_response_status', 'response_flags']
        .map((name) => labels[name])
        .join(' '),
    );
    expect(rows).toEqual(['http 0  DC', 'grpc 200 14 UF,URX', 'http 200  -']);
  });

  it('believe the certificate, not the header, about namespace and principal', async () => {
    const telemetry = telemetryOf('details');
    const liar = peerMetadataHeader({ ...node('evil'), namespace: 'payments' });
    telemetry.inbound.finish(
      inboundCall({ peerMetadata: liar, peerPrincipal: 'spiffe://cluster.local/ns/guest/sa/x' }),
    );
    telemetry.inbound.finish(inboundCall({ peerMetadata: '%%%', peerPrincipal: '', mutualTls: false }));
    const [secure, plain] = await samplesOf(telemetry, 'istio_requests_total');
    expect(secure!.labels).toMatchObject({
      source_workload_namespace: 'guest',
      source_principal: 'spiffe://cluster.local/ns/guest/sa/x',
    });
    expect(plain!.labels).toMatchObject({
      source_workload: 'unknown',
      source_workload_namespace: 'unknown',
      source_principal: 'unknown',
      source_canonical_revision: 'latest',
      source_cluster: 'unknown',
      destination_principal: 'unknown',
      connection_security_policy: 'none',
    });
  });

  it('name the pseudo cluster of a call that belongs to no service, and the host as the service', async () => {
    const telemetry = telemetryOf('productpage');
    telemetry.outbound.finish(
      callRecord({
        cluster: 'PassthroughCluster',
        destinationHost: '',
        destinationName: '',
        destinationNamespace: '',
        destinationWorkload: '',
        peerPrincipal: '',
        authority: 'example.com',
      }),
    );
    const [sample] = await samplesOf(telemetry, 'istio_requests_total');
    expect(sample!.labels).toMatchObject({
      destination_service: 'example.com',
      destination_service_name: 'PassthroughCluster',
      destination_service_namespace: 'unknown',
      destination_workload: 'unknown',
      source_principal: 'unknown',
    });
  });

  it('count TCP connections and bytes as seen from the downstream, without HTTP labels', async () => {
    const telemetry = telemetryOf('productpage');
    telemetry.outbound.finish(callRecord({ protocol: 'tcp', requestBytes: 10, responseBytes: 30 }));
    const [sent] = await samplesOf(telemetry, 'istio_tcp_sent_bytes_total');
    const [received] = await samplesOf(telemetry, 'istio_tcp_received_bytes_total');
    expect([sent!.value, received!.value]).toEqual([30, 10]);
    expect(Object.keys(sent!.labels).join(' ')).toBe(ISTIO_LABELS.replace(' response_code grpc_response_status', ''));
    expect(await samplesOf(telemetry, 'istio_requests_total')).toEqual([]);
  });
});

describe('limits', () => {
  it('beyond the cap calls are counted in overflow series, so that totals stay right', async () => {
    const telemetry = telemetryOf('productpage', { maxSeries: 50 });
    for (let count = 0; count < 500; count++)
      telemetry.outbound.finish(callRecord({ destinationWorkload: `w${String(count)};default;w;v1;Kubernetes` }));
    const samples = await samplesOf(telemetry, 'istio_requests_total');
    expect(samples).toHaveLength(51);
    expect(samples.reduce((sum, sample) => sum + sample.value, 0)).toBe(500);
    expect(samples.at(-1)!.labels).toMatchObject({
      destination_workload: 'overflow',
      response_code: '2xx',
      source_app: 'productpage',
    });
    expect(Object.keys(samples.at(-1)!.labels).join(' ')).toBe(ISTIO_LABELS);
    expect((await samplesOf(telemetry, 'heddle_telemetry_overflow_total'))[0]!.value).toBe(450);
  });

  it('hosts that no service has fold into other', async () => {
    const telemetry = telemetryOf('productpage', { maxFallbackHosts: 3 });
    for (let count = 0; count < 20; count++)
      telemetry.outbound.finish(
        callRecord({
          cluster: '',
          destinationHost: '',
          destinationName: '',
          destinationNamespace: '',
          destinationWorkload: '',
          authority: `h${String(count)}.example`,
        }),
      );
    const services = (await samplesOf(telemetry, 'istio_requests_total')).map(
      ({ labels }) => labels['destination_service'],
    );
    expect(services).toEqual(['h0.example', 'h1.example', 'h2.example', 'other']);
  });

  it('series that nobody uses any more go, and start again at one', async () => {
    const clock = new VirtualClock();
    const telemetry = telemetryOf('productpage', { idleMs: 1000 }, clock);
    telemetry.outbound.finish(callRecord({ endMs: 0 }));
    clock.advance(999);
    expect(await samplesOf(telemetry, 'istio_requests_total')).toHaveLength(1);
    clock.advance(1);
    expect(await samplesOf(telemetry, 'istio_requests_total')).toHaveLength(0);
    telemetry.outbound.finish(callRecord({ endMs: 1000 }));
    expect((await samplesOf(telemetry, 'istio_requests_total'))[0]!.value).toBe(1);
  });

  it('remember at most 500 peers, whatever strangers send', () => {
    const peers = new PeerCache();
    for (let count = 0; count < 3000; count++) peers.peerOf(`AAAA${String(count)}`);
    expect(peers.size).toBeLessThanOrEqual(500);
  });

  it('a principal that arrives later starts a new series', async () => {
    const owned: { principal?: string } = {};
    const telemetry = createTelemetry({
      node: node('a'),
      ownPrincipal: () => owned.principal,
      clock: new VirtualClock(),
      draws: () => 0.5,
    });
    telemetry.outbound.finish(callRecord());
    owned.principal = principal('a');
    telemetry.outbound.finish(callRecord());
    const samples = await samplesOf(telemetry, 'istio_requests_total');
    expect(samples.map(({ labels }) => labels['source_principal'])).toEqual(['unknown', principal('a')]);
  });
});

describe('peer metadata', () => {
  it('is the same header for the same node whatever the order of its labels, and is read back', () => {
    const header = peerMetadataHeader(node('reviews'));
    expect(peerMetadataHeader({ ...node('reviews'), labels: { version: 'v1', app: 'reviews' } })).toBe(header);
    expect(decodePeerMetadata(header)).toEqual({
      workload: 'reviews-v1',
      namespace: 'default',
      app: 'reviews',
      version: 'v1',
      canonicalService: 'reviews',
      canonicalRevision: 'v1',
      cluster: 'Kubernetes',
    });
    expect(toJson(StructSchema, fromBinary(StructSchema, Buffer.from(header, 'base64')))).toMatchObject({
      IDENTITY: principal('reviews'),
    });
  });

  it('never throws on what strangers send', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
        ),
        (header) => {
          expect(new PeerCache().peerOf(header).labels.workload).toBeTypeOf('string');
        },
      ),
    );
  });
});
