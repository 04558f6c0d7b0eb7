// Gauges of the mesh itself: feed, configuration, identity, ejections. The calls' own metrics are telemetry's.
import type { Metrics } from '../telemetry/create-telemetry.js';
import type { MeshStatus } from './mesh-status.js';

export function registerMeshMetrics(metrics: Metrics, status: () => MeshStatus): void {
  const gauge = (name: string, help: string, read: (now: MeshStatus) => number) =>
    metrics.registerGauge(name, help, () => [{ labels: {}, value: read(status()) }]);
  gauge('heddle_ready', '1 when configuration and identity are in force and the mesh is not closing.', ({ ready }) =>
    ready ? 1 : 0,
  );
  gauge('heddle_feed_connected', '1 while the feed is connected.', ({ feed }) => (feed.phase === 'connected' ? 1 : 0));
  gauge('heddle_feed_generation', 'Generation of the configuration in force.', ({ feed }) => feed.generation);
  gauge(
    'heddle_feed_age_seconds',
    'Time since the configuration in force arrived.',
    ({ feed }) => (feed.ageMs ?? 0) / 1_000,
  );
  gauge(
    'heddle_feed_rejected_resources',
    'Resources whose latest version was refused.',
    ({ feed }) => feed.rejected.length,
  );
  gauge(
    'heddle_unsupported_fields',
    'Set fields of the configuration that are not honoured.',
    ({ unsupported }) => unsupported.length,
  );
  gauge(
    'heddle_certificate_expiry_seconds',
    "Time until this workload's certificate expires; 0 without one.",
    ({ identity }) => (identity.expiresInMs ?? 0) / 1_000,
  );
  metrics.registerGauge('heddle_ejected_endpoints', 'Endpoints that are ejected now, by cluster.', () =>
    status().clusters.map(({ name, activeEjections }) => ({ labels: { cluster: name }, value: activeEjections })),
  );
}
