// What adapters (@heddle/express, @heddle/fastify, @heddle/grpc) may use of a mesh beyond its public methods: `mesh.internals`.
// Adapters import it from '@heddle/core'. An adapter that adds methods to Mesh does so by declaration merging on the class
// and by assigning to `Mesh.prototype` when it is imported.
import type { Clock } from './clock.js';
import type { ClusterStates } from './cluster-state/cluster-states.js';
import type { Draws } from './draws.js';
import type { DownstreamSecurity, UpstreamSecurity } from './identity/connection-security.js';
import type { InboundServer } from './inbound/inbound-server.js';
import type { MeshSettings } from './mesh/mesh-settings.js';
import type { OutboundClient } from './outbound/outbound-client.js';
import type { Snapshot } from './snapshot/snapshot.js';
import type { Telemetry } from './telemetry/create-telemetry.js';

export interface MeshInternals {
  readonly settings: MeshSettings;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly snapshot: () => Snapshot;
  readonly states: ClusterStates;
  readonly security: UpstreamSecurity & DownstreamSecurity;
  readonly outbound: OutboundClient;
  readonly inbound: InboundServer;
  readonly telemetry: Telemetry;
  /**
   * Something to end when the mesh closes; `drain` gets the drain time in ms. Returns the function that takes it back. What serves (`inbound`, the
   * default) ends first, since the last requests still make calls; what calls (`outbound`) ends after it, with the time that is left.
   */
  onClose(drain: (drainMs: number) => Promise<void>, direction?: 'inbound' | 'outbound'): () => void;
}
