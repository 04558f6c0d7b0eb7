// Start-up cost of @heddle/xds and the time to decode 1,000 clusters. Run: node bench/xds-decode.ts (after npm run build).
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ClusterLoadAssignmentSchema, ClusterSchema, create, fromBinary, toBinary } from '@heddle/xds';

const bundle = process.argv[2] ?? fileURLToPath(new URL('../packages/xds/dist/bundle.js', import.meta.url));
const STARTS = 10;

/** What a service uses of the types before its first call. */
const used = [
  ...[
    'Listener',
    'RouteConfiguration',
    'Cluster',
    'ClusterLoadAssignment',
    'HttpConnectionManager',
    'TcpProxy',
    'UpstreamTlsContext',
  ],
  ...[
    'DownstreamTlsContext',
    'HttpRbac',
    'LocalRateLimit',
    'HTTPFault',
    'Router',
    'DeltaDiscoveryRequest',
    'DeltaDiscoveryResponse',
  ],
];
const start = `
  const begun = performance.now();
  const xds = await import(${JSON.stringify(bundle)});
  const imported = performance.now();
  for (const name of ${JSON.stringify(used)}) {
    const schema = xds[name + 'Schema'];
    xds.fromBinary(schema, xds.toBinary(schema, xds.create(schema)));
  }
  console.log(imported - begun, performance.now() - begun);`;

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

const starts = Array.from({ length: STARTS }, () =>
  execFileSync(process.execPath, ['--input-type=module', '-e', start], { encoding: 'utf8' })
    .trim()
    .split(' ')
    .map(Number),
);
console.log(
  `import of @heddle/xds: ${median(starts.map(([ms]) => ms!)).toFixed(1)} ms (median of ${String(STARTS)} processes)`,
);
console.log(
  `import and first use of ${String(used.length)} types: ${median(starts.map(([, ms]) => ms!)).toFixed(1)} ms`,
);

const clusters = Array.from({ length: 1000 }, (_, index) =>
  toBinary(
    ClusterSchema,
    create(ClusterSchema, {
      name: `outbound|9080||service-${String(index)}.default.svc.cluster.local`,
      connectTimeout: { seconds: 10n },
      circuitBreakers: { thresholds: [{ maxConnections: 100, maxRequests: 1000 }] },
      outlierDetection: { consecutive5xx: 5, interval: { seconds: 10n } },
    }),
  ),
);
const assignments = Array.from({ length: 1000 }, (_, index) =>
  toBinary(
    ClusterLoadAssignmentSchema,
    create(ClusterLoadAssignmentSchema, {
      clusterName: `outbound|9080||service-${String(index)}.default.svc.cluster.local`,
      endpoints: [
        {
          lbEndpoints: Array.from({ length: 10 }, (_unused, host) => ({
            hostIdentifier: {
              case: 'endpoint' as const,
              value: {
                address: {
                  address: {
                    case: 'socketAddress' as const,
                    value: { address: `10.0.${String(index >> 8)}.${String(host)}` },
                  },
                },
              },
            },
          })),
        },
      ],
    }),
  ),
);

function decode(name: string, work: () => void): void {
  const times = Array.from({ length: 11 }, () => {
    const begun = performance.now();
    work();
    return performance.now() - begun;
  });
  console.log(`${name}: first ${times[0]!.toFixed(1)} ms, median ${median(times.slice(1)).toFixed(1)} ms`);
}
decode('decode 1,000 clusters', () => clusters.forEach((bytes) => fromBinary(ClusterSchema, bytes)));
decode('decode 1,000 assignments of 10 endpoints', () =>
  assignments.forEach((bytes) => fromBinary(ClusterLoadAssignmentSchema, bytes)),
);
