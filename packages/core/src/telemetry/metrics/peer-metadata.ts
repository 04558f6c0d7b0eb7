// Istio's metadata exchange over HTTP: `x-envoy-peer-metadata`, a base64 Struct by which each side tells the other who it is. The header is not
// authenticated: it only fills labels, is bounded, and never names a principal.
import { type JsonObject, StructSchema, fromBinary, fromJson, toBinary, toJson } from '@heddle/xds';
import type { PeerMetadata } from '../call-telemetry.js';
import {
  type TelemetryNode,
  UNKNOWN_WORKLOAD,
  type WorkloadLabels,
  canonicalRevisionOf,
  canonicalServiceOf,
  nodeIdOf,
  ownWorkloadLabels,
} from './workload-labels.js';

/** Longer values are not read. */
const MAX_HEADER_LENGTH = 8192;
/** Longer label values are cut. */
const MAX_VALUE_LENGTH = 256;
/** Istio: metadata exchange filter, max_peer_cache_size 500, a quarter evicted at once. */
const MAX_PEERS = 500;

/** A peer as its header describes it. One object per distinct header while it is cached, so that series can be found by identity. */
export interface Peer {
  readonly header: string;
  readonly labels: WorkloadLabels;
}

const NO_PEER: Peer = { header: '', labels: UNKNOWN_WORKLOAD };

/** The peers seen, by their header. */
export class PeerCache {
  readonly #peers = new Map<string, Peer>();

  /** The peer of a header; for an empty, too long or malformed header one of which nothing is known. */
  peerOf(header: string): Peer {
    if (header === '' || header.length > MAX_HEADER_LENGTH) return NO_PEER;
    const known = this.#peers.get(header);
    if (known !== undefined) return known;
    if (this.#peers.size >= MAX_PEERS) this.#evictQuarter();
    const peer = { header, labels: decodePeerMetadata(header) ?? UNKNOWN_WORKLOAD };
    this.#peers.set(header, peer);
    return peer;
  }

  get size(): number {
    return this.#peers.size;
  }

  #evictQuarter(): void {
    let left = MAX_PEERS / 4;
    for (const header of this.#peers.keys()) {
      if (left-- === 0) return;
      this.#peers.delete(header);
    }
  }
}

/** Reads the header; undefined when it is not base64 of a Struct. Never throws. */
export function decodePeerMetadata(header: string): WorkloadLabels | undefined {
  try {
    const struct = toJson(StructSchema, fromBinary(StructSchema, Buffer.from(header, 'base64')));
    return isObject(struct) ? labelsOf(struct) : undefined;
  } catch {
    return undefined;
  }
}

/** The value of `x-envoy-peer-metadata` that this workload sends; the same bytes for the same node. */
export function peerMetadataHeader(node: TelemetryNode): string {
  const own = ownWorkloadLabels(node);
  const labels = {
    ...node.labels,
    'service.istio.io/canonical-name': own.canonicalService,
    'service.istio.io/canonical-revision': own.canonicalRevision,
  };
  const struct = {
    CLUSTER_ID: node.clusterId,
    IDENTITY: `spiffe://${node.trustDomain}/ns/${node.namespace}/sa/${node.serviceAccount}`,
    LABELS: Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))),
    NAME: node.workload,
    NAMESPACE: node.namespace,
    OWNER: `kubernetes://apis/apps/v1/namespaces/${node.namespace}/deployments/${node.workload}`,
    SERVICE_ACCOUNT: node.serviceAccount,
    WORKLOAD_NAME: node.workload,
  };
  return Buffer.from(toBinary(StructSchema, fromJson(StructSchema, struct))).toString('base64');
}

/** What this workload sends of itself; encoded on first use, for a process that never meets a peer pays nothing. */
export class OwnPeerMetadata implements PeerMetadata {
  readonly id: string;
  readonly #node: TelemetryNode;
  #metadata: string | undefined = undefined;

  constructor(node: TelemetryNode) {
    this.id = nodeIdOf(node);
    this.#node = node;
  }

  get metadata(): string {
    return (this.#metadata ??= peerMetadataHeader(this.#node));
  }
}

function labelsOf(struct: JsonObject): WorkloadLabels {
  const labels = stringsOf(struct['LABELS']);
  const workload = textOf(struct['WORKLOAD_NAME']);
  return {
    workload: workload ?? 'unknown',
    namespace: textOf(struct['NAMESPACE']) ?? 'unknown',
    app: labels['app.kubernetes.io/name'] ?? labels['app'] ?? 'unknown',
    version: labels['app.kubernetes.io/version'] ?? labels['version'] ?? 'unknown',
    canonicalService: canonicalServiceOf(labels) ?? workload ?? 'unknown',
    canonicalRevision: canonicalRevisionOf(labels) ?? 'latest',
    cluster: textOf(struct['CLUSTER_ID']) ?? 'unknown',
  };
}

function stringsOf(value: unknown): Record<string, string> {
  const strings: Record<string, string> = Object.create(null) as Record<string, string>;
  if (!isObject(value)) return strings;
  for (const [name, entry] of Object.entries(value)) {
    const text = textOf(entry);
    if (text !== undefined) strings[name] = text;
  }
  return strings;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_VALUE_LENGTH) : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
