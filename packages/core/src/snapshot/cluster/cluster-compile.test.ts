import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  UpstreamTlsContextSchema,
  fromJson,
  packAny,
  type JsonValue,
  type JsonObject,
} from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import type { EndpointSnapshot } from '../cluster-snapshot.js';
import { CompileReport } from '../compile-report.js';
import { compileCluster, joinCluster } from './cluster-compile.js';
import { compileAssignment } from './endpoint-compile.js';

function compile(json: JsonObject, tls?: JsonValue) {
  const message = fromJson(ClusterSchema, { name: 'c', type: 'EDS', ...json });
  if (tls !== undefined)
    for (const match of message.transportSocketMatches)
      if (match.match?.['tlsMode'] === 'istio')
        match.transportSocket = {
          $typeName: 'envoy.config.core.v3.TransportSocket',
          name: 'tls',
          configType: {
            case: 'typedConfig',
            value: packAny(UpstreamTlsContextSchema, fromJson(UpstreamTlsContextSchema, tls)),
          },
        };
  const report = new CompileReport('Cluster c');
  return { report, cluster: joinCluster(compileCluster(message, '1', report), undefined) };
}

const endpoint = (tlsMode: string | undefined): EndpointSnapshot => ({
  address: '10.0.0.1:80',
  host: '10.0.0.1',
  port: 80,
  hostname: undefined,
  weight: 1,
  health: 'unknown',
  tlsMode,
  workload: undefined,
  subsetMetadata: undefined,
});

const ISTIO_MATCHES = [
  { name: 'tlsMode-istio', match: { tlsMode: 'istio' } },
  { name: 'tlsMode-disabled', match: {}, transport_socket: { name: 'envoy.transport_sockets.raw_buffer' } },
];
const ISTIO_TLS = {
  common_tls_context: {
    alpn_protocols: ['istio-peer-exchange', 'istio'],
    tls_certificate_sds_secret_configs: [{ name: 'default' }],
    combined_validation_context: {
      default_validation_context: {
        match_typed_subject_alt_names: [
          { san_type: 'URI', matcher: { exact: 'spiffe://cluster.local/ns/default/sa/reviews' } },
        ],
      },
      validation_context_sds_secret_config: { name: 'ROOTCA' },
    },
    tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
  },
  sni: 'outbound_.9080_._.reviews.default.svc.cluster.local',
};

describe('compileCluster', () => {
  it("fills in Envoy's defaults", () => {
    const { cluster, report } = compile({ outlier_detection: {} });
    expect(report.faults).toEqual([]);
    expect(cluster).toMatchObject({
      discovery: 'eds',
      connectTimeoutMs: 5000,
      panicThresholdPercent: 50,
      http2: false,
      idleTimeoutMs: 3_600_000,
      overprovisioningFactor: 140,
      balancer: { kind: 'round-robin' },
      limits: { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 },
      outlier: {
        consecutive5xx: 5,
        enforcingConsecutive5xx: 100,
        intervalMs: 10_000,
        baseEjectionTimeMs: 30_000,
        maxEjectionTimeMs: 300_000,
        maxEjectionPercent: 10,
        successRate: { stdevFactor: 1.9 },
        failurePercentage: undefined,
      },
    });
  });

  it.each<[JsonObject, object]>([
    [
      { lb_policy: 'LEAST_REQUEST', least_request_lb_config: { choice_count: 3 } },
      { kind: 'least-request', choiceCount: 3, activeRequestBias: 1 },
    ],
    [
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: 7 } },
      { kind: 'ring-hash', minimumRingSize: 7, maximumRingSize: 8_388_608 },
    ],
    [{ lb_policy: 'MAGLEV' }, { kind: 'maglev', tableSize: 65_537 }],
    [{ lb_policy: 'RANDOM' }, { kind: 'random' }],
  ])('balances as %j', (json, expected) => {
    expect(compile(json).cluster.balancer).toEqual(expected);
  });

  it('dials endpoints of the mesh with mutual TLS and the others in plain text', () => {
    const { cluster, report } = compile({ transport_socket_matches: ISTIO_MATCHES }, ISTIO_TLS);
    expect(report.faults).toEqual([]);
    const tls = cluster.tlsFor(endpoint('istio'));
    expect(tls).toMatchObject({
      presentsCertificate: true,
      certificateSource: { kind: 'identity' },
      rootSource: { kind: 'identity' },
      serverName: ISTIO_TLS.sni,
      minVersion: 'TLSv1.2',
      alpnProtocols: ['istio-peer-exchange', 'istio'],
    });
    expect(tls?.sans.map(({ type, text }) => `${type} ${text}`)).toEqual([
      'uri exact "spiffe://cluster.local/ns/default/sa/reviews"',
    ]);
    expect(cluster.tlsFor(endpoint('disabled'))).toBeUndefined();
    expect(cluster.tlsFor(endpoint(undefined))).toBeUndefined();
    expect(compile({ transport_socket_matches: ISTIO_MATCHES }, ISTIO_TLS).cluster.tlsFor(endpoint('istio'))?.key).toBe(
      tls?.key,
    );
  });

  it.each<[string, JsonValue]>([
    [
      'a secret that nobody delivers',
      { common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'other' }] } },
    ],
    ['pinned certificates', { common_tls_context: { validation_context: { verify_certificate_hash: ['00'] } } }],
    ['revocation lists', { common_tls_context: { validation_context: { crl: { filename: '/x' } } } }],
    [
      'names that can not be checked',
      {
        common_tls_context: {
          validation_context: { match_typed_subject_alt_names: [{ san_type: 'OTHER_NAME', matcher: { exact: 'x' } }] },
        },
      },
    ],
  ])('refuses %s instead of dialling without', (_, tls) => {
    expect(compile({ transport_socket_matches: ISTIO_MATCHES }, tls).report.refusal).toMatch(
      /^Cluster c: transport_socket_matches\[0\]/,
    );
  });

  it('refuses a transport socket that it does not know', () => {
    const { report } = compile({ transport_socket: { name: 'envoy.transport_sockets.quic' } });
    expect(report.refusal).toMatch(/transport_socket: the transport socket envoy.transport_sockets.quic/);
  });

  it('reads the service that istiod names', () => {
    const services = [{ host: 'reviews.default.svc.cluster.local', name: 'reviews', namespace: 'default' }];
    expect(compile({ metadata: { filter_metadata: { istio: { services } } } }).cluster.service).toEqual(services[0]);
  });
});

describe('compileAssignment', () => {
  it('sorts endpoints by priority and locality with their metadata', () => {
    const report = new CompileReport('ClusterLoadAssignment c');
    const address = (host: string) => ({
      endpoint: { address: { socket_address: { address: host, port_value: 9080 } }, hostname: 'h' },
    });
    const assignment = compileAssignment(
      fromJson(ClusterLoadAssignmentSchema, {
        cluster_name: 'c',
        endpoints: [
          {
            priority: 2,
            locality: { region: 'r', zone: 'z' },
            load_balancing_weight: 3,
            lb_endpoints: [
              {
                ...address('10.0.0.1'),
                health_status: 'DRAINING',
                load_balancing_weight: 2,
                metadata: {
                  filter_metadata: {
                    'envoy.transport_socket_match': { tlsMode: 'istio' },
                    istio: { workload: 'reviews-v1;default;reviews;v1;K' },
                    'envoy.lb': { a: 1 },
                  },
                },
              },
            ],
          },
          { lb_endpoints: [address('::1'), { endpoint: { address: { pipe: { path: '/x' } } } }] },
        ],
        policy: { overprovisioning_factor: 200 },
      }),
      '7',
      report,
    );
    expect(assignment.priorities.map(({ localities }) => localities.length)).toEqual([1, 0, 1]);
    expect(assignment.priorities[0]?.localities[0]?.endpoints.map(({ address: at }) => at)).toEqual(['[::1]:9080']);
    expect(assignment.priorities[2]?.localities[0]).toMatchObject({
      region: 'r',
      zone: 'z',
      weight: 3,
      endpoints: [
        {
          address: '10.0.0.1:9080',
          health: 'draining',
          weight: 2,
          tlsMode: 'istio',
          workload: 'reviews-v1;default;reviews;v1;K',
          subsetMetadata: { a: 1 },
          hostname: 'h',
        },
      ],
    });
    expect(report.unsupported.map(({ path }) => path)).toEqual(['$.endpoints[1].lb_endpoints[1]']);
    expect(assignment.overprovisioningFactor).toBe(200);
  });
});
