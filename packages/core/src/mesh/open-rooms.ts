// The wiring of one mesh: the one file that sees every room and hands each what it needs of the others.
import type { Feed, FeedNode } from '@heddle/xds';
import { systemClock, type Clock } from '../clock.js';
import { ClusterStates } from '../cluster-state/cluster-states.js';
import { seededDraws, type Draws } from '../draws.js';
import type { DownstreamSecurity, UpstreamSecurity } from '../identity/connection-security.js';
import { IdentityStore } from '../identity/identity-store.js';
import type { IdentityProvider } from '../identity/identity-provider.js';
import { createTlsContexts } from '../identity/tls-contexts.js';
import { InboundServer } from '../inbound/inbound-server.js';
import { OutboundClient } from '../outbound/outbound-client.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { createTelemetry, type Telemetry } from '../telemetry/create-telemetry.js';
import type { Resolve } from '../transport/dns-endpoints.js';
import type { OpenTransport } from '../transport/endpoint-pool.js';
import { HEDDLE_VERSION } from '../version.js';
import { Configuration } from './configuration.js';
import { feedEventLog, logIdentityEvent, logInboundEvent } from './log-events.js';
import { loggerFrom } from './logger.js';
import type { MeshLogger, MeshOptions } from './mesh-options.js';
import { feedNodeOf, type MeshSettings, workloadName } from './mesh-settings.js';

/** What createMesh opened asynchronously, and what the user said. */
export interface MeshParts {
  readonly settings: MeshSettings;
  readonly options: MeshOptions;
  readonly feed: Feed | undefined;
  readonly identity: IdentityProvider;
  /** Tests of services only: what carries requests, and what resolves names, in place of sockets and the system's resolver. */
  readonly openTransport?: OpenTransport;
  readonly resolve?: Resolve;
}

export interface MeshRooms {
  readonly settings: MeshSettings;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly log: MeshLogger;
  readonly states: ClusterStates;
  readonly identity: IdentityStore;
  /** Last failure of fetching or renewing the certificate, until the next success. */
  readonly identityFailure: () => string | undefined;
  readonly security: UpstreamSecurity & DownstreamSecurity;
  readonly telemetry: Telemetry;
  readonly configuration: Configuration;
  readonly inbound: InboundServer;
  readonly outbound: OutboundClient;
}

/** Opens every room. The feed and the identity provider begin to work at once. */
export function openRooms(parts: MeshParts): MeshRooms {
  const { settings, options, feed, identity } = parts;
  const clock = options.clock ?? systemClock;
  const draws = options.draws ?? seededDraws(Date.now() ^ (process.pid << 8));
  const log = loggerFrom(settings.log, () => clock.wallMs());
  const node = feedNodeOf(settings, HEDDLE_VERSION);
  const states = new ClusterStates(clock, draws);
  const { store, failure } = openIdentityStore(identity, clock, draws, log);
  const security = createTlsContexts(store, clock);
  const ownPrincipal = (): string | undefined => store.state().svid?.spiffeId;
  const telemetry = openTelemetry(settings, node, ownPrincipal, clock, draws);
  const snapshot = (): Snapshot => configuration.snapshot;
  const inbound = new InboundServer({
    snapshot,
    security,
    telemetry: telemetry.inbound,
    clock,
    draws,
    onEvent: (event) => logInboundEvent(log, event),
    settings: { awaitsFeed: feed !== undefined, localSpiffeId: ownPrincipal },
  });
  const onSnapshot = (): void => inbound.policyChanged();
  const onEvent = feedEventLog(log);
  const configuration = new Configuration({ feed, node, clock, filterState: states, onSnapshot, onEvent });
  const outbound = new OutboundClient({
    snapshot,
    states,
    clock,
    draws,
    security,
    telemetry: telemetry.outbound,
    options: { retryNonIdempotent: settings.retryNonIdempotent },
    openTransport: parts.openTransport,
    resolve: parts.resolve,
  });
  const rooms = { settings, clock, draws, log, states, identity: store, identityFailure: failure };
  return { ...rooms, security, telemetry, configuration, inbound, outbound };
}

function openIdentityStore(provider: IdentityProvider, clock: Clock, draws: Draws, log: MeshLogger) {
  let failure: string | undefined;
  const store = new IdentityStore({
    provider,
    clock,
    draws,
    onEvent: (event) => {
      failure = event.kind === 'failed' || event.kind === 'refused' ? event.reason : undefined;
      logIdentityEvent(log, event);
    },
  });
  return { store, failure: () => failure };
}

function openTelemetry(
  settings: MeshSettings,
  { id: nodeId }: FeedNode,
  ownPrincipal: () => string | undefined,
  clock: Clock,
  draws: Draws,
): Telemetry {
  const { service, clusterId, trustDomain, forwardHeaders, accessLog } = settings;
  const { namespace, labels, serviceAccount } = service;
  const workload = workloadName(service);
  return createTelemetry({
    node: { workload, namespace, labels, serviceAccount, clusterId, trustDomain, nodeId, version: HEDDLE_VERSION },
    ownPrincipal,
    clock,
    draws,
    forwardHeaders,
    accessLog: accessLog ? process.stdout : undefined,
  });
}
