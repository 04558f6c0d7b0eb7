// What the feed knows of its clients, as plain data and as CSDS resources (gRFC A40; Istio: proxy-status).
import {
  ClientConfigSchema,
  type ClientConfig,
  ClientResourceStatus,
  ConfigStatus,
  type JsonObject,
  StructSchema,
  TimestampSchema,
  create,
  packAny,
} from '@heddle/xds';
import type { ClientSession } from './client-session.js';
import type { Nack, SyncState } from './subscription-state.js';

export interface ClientTypeStatus {
  readonly typeUrl: string;
  readonly sync: SyncState;
  readonly sentVersion: string;
  readonly ackedVersion: string;
  /** `*`, or how many names are subscribed to. */
  readonly subscribed: '*' | number;
  /** The refusal, when the last answer was one. */
  readonly nack: Nack | undefined;
}

export interface ClientStatus {
  readonly nodeId: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly peer: string;
  readonly variant: 'delta' | 'sotw';
  /** RFC 3339. */
  readonly connectedAt: string;
  /** Version of the configuration that the client was taken to; older than the feed's while a push is under way. */
  readonly version: string;
  readonly types: readonly ClientTypeStatus[];
}

/** Undefined before the client's first request. */
export function clientStatus(session: ClientSession): ClientStatus | undefined {
  const { node, generation } = session;
  if (node === undefined || generation === undefined) return undefined;
  return {
    nodeId: node.id,
    cluster: node.cluster,
    metadata: node.metadata,
    peer: session.peer,
    variant: session.variant,
    connectedAt: new Date(session.connectedAtWallMs).toISOString(),
    version: generation.version,
    types: session.subscriptions.map((subscription) => ({
      typeUrl: subscription.typeUrl,
      sync: subscription.sync,
      sentVersion: subscription.sentVersion,
      ackedVersion: subscription.ackedVersion,
      subscribed: subscription.wildcard ? '*' : subscription.names.size,
      nack: subscription.nack,
    })),
  };
}

const CONFIG_STATUS: Readonly<Record<SyncState, ConfigStatus>> = {
  SYNCED: ConfigStatus.SYNCED,
  NOT_SENT: ConfigStatus.NOT_SENT,
  STALE: ConfigStatus.STALE,
  ERROR: ConfigStatus.ERROR,
};

/**
 * One entry a type: `versionInfo` is the version acknowledged last, `errorState` the refusal. `xdsConfig` is a Struct of our own:
 * `sentVersion`, `subscribed`, `peer`, `variant`.
 */
export function clientConfig(client: ClientStatus): ClientConfig {
  return create(ClientConfigSchema, {
    node: { id: client.nodeId, cluster: client.cluster, metadata: client.metadata as JsonObject },
    genericXdsConfigs: client.types.map((type) => ({
      typeUrl: type.typeUrl,
      versionInfo: type.ackedVersion,
      configStatus: CONFIG_STATUS[type.sync],
      clientStatus: resourceStatus(type.sync),
      xdsConfig: packAny(StructSchema, { fields: structFields(client, type) }),
      ...(type.nack === undefined ? {} : { errorState: errorState(type.nack) }),
    })),
  });
}

function resourceStatus(sync: SyncState): ClientResourceStatus {
  switch (sync) {
    case 'SYNCED':
      return ClientResourceStatus.ACKED;
    case 'ERROR':
      return ClientResourceStatus.NACKED;
    case 'NOT_SENT':
    case 'STALE':
      return ClientResourceStatus.REQUESTED;
  }
}

function structFields(client: ClientStatus, type: ClientTypeStatus) {
  const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });
  return {
    sentVersion: text(type.sentVersion),
    subscribed: text(String(type.subscribed)),
    peer: text(client.peer),
    variant: text(client.variant),
  };
}

function errorState({ message, version, atWallMs }: Nack) {
  const lastUpdateAttempt = create(TimestampSchema, {
    seconds: BigInt(Math.floor(atWallMs / 1000)),
    nanos: Math.floor(atWallMs % 1000) * 1_000_000,
  });
  return { details: message, versionInfo: version, lastUpdateAttempt };
}
