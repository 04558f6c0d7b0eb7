// The Feed interface: where configuration comes from. An ADS client, a folder of YAML and typed objects in code all speak it,
// so the data plane never knows which one it has.
import type { ResourceTypeUrl } from './type-urls.js';

/** Where a resource was written, when the feed knows (files, typed objects). Shown by `explain`. */
export interface ConfigOrigin {
  /** Kind and name of the source object, e.g. `VirtualService default/reviews`. */
  readonly object: string;
  /** File path as given to the feed, and 1-based line and column of the object or field. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** One resource as it came: bytes, decoded on first use. Equal (name, version) means equal content. */
export interface RawResource {
  readonly typeUrl: ResourceTypeUrl;
  readonly name: string;
  readonly version: string;
  /** The serialized resource message (the `value` of its Any). */
  readonly bytes: Uint8Array;
  /** The same as a message of the type's schema, from a feed in this process that keeps it anyway: saves decoding. Nobody may change it. */
  readonly message?: unknown;
}

/** What a feed says about one type. */
export interface FeedUpdate {
  readonly typeUrl: ResourceTypeUrl;
  /**
   * `full`: all resources of the type that this client asked for; one that is missing is gone (state of the world).
   * `delta`: only what changed; `removed` names what is gone.
   */
  readonly kind: 'full' | 'delta';
  /** Version of the whole update, for display and for state-of-the-world ACKs. */
  readonly version: string;
  readonly resources: readonly RawResource[];
  readonly removed: readonly string[];
}

/** A resource that the data plane refused; the feed turns it into a NACK. The last good one stays in force. */
export interface RejectedResource {
  readonly name: string;
  /** Names resource and field, e.g. `RouteConfiguration 9080: virtual_hosts[0].routes[2].match: ...`. */
  readonly message: string;
}

export type FeedState =
  | { readonly phase: 'connecting'; readonly attempt: number }
  | { readonly phase: 'connected' }
  /** Retrying after `retryInMs`; what was delivered stays in force. */
  | {
      readonly phase: 'disconnected';
      readonly reason: string;
      readonly retryInMs: number;
      /** `configuration`: the feed was reached, and what it has is wrong; only an edit mends that, so a start does not wait for it. */
      readonly fault?: 'configuration' | undefined;
    };

/** What the data plane offers to a feed. */
export interface FeedSink {
  /**
   * Takes an update; what it refuses is returned, everything else is in force (or warming). Large updates are taken in slices and answered later:
   * a feed waits for the answer before it hands over the next update or acknowledges.
   */
  onUpdate(update: FeedUpdate): readonly RejectedResource[] | Promise<readonly RejectedResource[]>;
  /** The named resources do not exist (gRFC A53 timer, or a delta removal of a name never delivered). */
  onMissing(typeUrl: ResourceTypeUrl, names: readonly string[]): void;
  onState(state: FeedState): void;
}

/** Which resources are wanted: every one (LDS and CDS of a sidecar) or by name (RDS, EDS, SDS). */
export type WantedNames = '*' | readonly string[];

/** An open feed. */
export interface FeedConnection {
  /** Replaces the wanted names of a type. Calling it with the same names is free. */
  subscribe(typeUrl: ResourceTypeUrl, names: WantedNames): void;
  /**
   * Where a resource was written; undefined when the feed can't know (xDS from elsewhere). `detail` is a part of it: a route as `VIRTUAL HOST/INDEX`
   * or by its name, a policy of a listener by its name.
   */
  originOf(typeUrl: ResourceTypeUrl, name: string, detail?: string): ConfigOrigin | undefined;
  /** Ends every stream, watcher and timer. */
  close(): void;
}

/** Who asks: the xDS node of this workload. */
export interface FeedNode {
  /** `sidecar~IP~POD.NAMESPACE~NAMESPACE.svc.cluster.local`. */
  readonly id: string;
  /** `SERVICE.NAMESPACE`. */
  readonly cluster: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  /** Istio's node metadata: NAMESPACE, LABELS, SERVICE_ACCOUNT, CLUSTER_ID, ISTIO_VERSION, … */
  readonly metadata: { readonly [key: string]: unknown };
}

/** A source of configuration. `open` may be called once per mesh. */
export interface Feed {
  /** For people: `xds://127.0.0.1:15010`, `folder ./mesh`, `objects`. */
  readonly name: string;
  open(node: FeedNode, sink: FeedSink): FeedConnection;
}
