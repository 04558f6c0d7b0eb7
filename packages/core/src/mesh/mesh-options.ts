// What a user may say to createMesh. Every option has an environment variable (mesh/environment.ts); an option wins over its variable.
import type { Feed } from '@heddle/xds';
import type { Clock } from '../clock.js';
import type { Draws } from '../draws.js';
import type { IdentityProvider } from '../identity/identity-provider.js';

/** Any logger of pino's shape. */
export interface MeshLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface ServiceOptions {
  /** Name of the service, e.g. `reviews`. HEDDLE_SERVICE; default `heddle`. */
  readonly name?: string;
  /** HEDDLE_NAMESPACE or POD_NAMESPACE; default `default`. */
  readonly namespace?: string;
  /** HEDDLE_LABELS (`app=reviews,version=v1`) or ISTIO_METAJSON_LABELS. `app` defaults to the service name. */
  readonly labels?: Readonly<Record<string, string>>;
  /** SERVICE_ACCOUNT; default the service name. */
  readonly serviceAccount?: string;
}

/** Where this workload's certificate comes from. */
export type IdentityOption = 'istio-ca' | 'heddle-ca' | 'workload-api' | 'none' | `files:${string}` | IdentityProvider;

export interface MeshOptions {
  readonly service?: ServiceOptions;
  /**
   * `xds://host:port`, `xdss://host:port` (TLS), a path of a file or folder of YAML, a Feed object, or several of them in order of
   * fallback. HEDDLE_FEED (comma-separated). Without any, the mesh passes every call straight through.
   */
  readonly feed?: string | Feed | readonly (string | Feed)[];
  /** HEDDLE_IDENTITY; default `heddle-ca` with an `xds://` feed, `istio-ca` where Istio's token file exists, else `none`. */
  readonly identity?: IdentityOption;
  /** HEDDLE_LOCALITY, `region/zone/subzone`. */
  readonly locality?: string;
  /** INSTANCE_IP: the address under which others know this instance. */
  readonly instanceIp?: string;
  /** POD_NAME; default the host name. */
  readonly podName?: string;
  /** ISTIO_META_CLUSTER_ID; default `Kubernetes`. */
  readonly clusterId?: string;
  /** Trust domain of this workload's identity. Default `cluster.local`. */
  readonly trustDomain?: string;
  /** CA_ADDR; default the feed's host:port. */
  readonly caAddress?: string;
  /** HEDDLE_TOKEN_FILE; default Istio's projected token, where it exists. */
  readonly tokenFile?: string;
  /** HEDDLE_ROOT_CERT_FILE; default Istio's projected root, where it exists. */
  readonly rootCertFile?: string;
  /** HEDDLE_RETRY_NON_IDEMPOTENT=1: retry POST and the like as Envoy does. Default false. */
  readonly retryNonIdempotent?: boolean;
  /** HEDDLE_ADMIN: `unix:/path` or `127.0.0.1:port`; serves /metrics, /status and /explain. Default off. */
  readonly admin?: string;
  /** HEDDLE_HEALTH: port of the readiness and metrics endpoint, on `instanceIp`; default off. */
  readonly healthPort?: number;
  /** HEDDLE_LOG: `debug`, `info`, `warn` (default), `error`, `silent`; or a logger of pino's shape. */
  readonly log?: LogLevel | MeshLogger;
  /** HEDDLE_ACCESS_LOG=1: one line a call in Envoy's default format on standard output. Default false. */
  readonly accessLog?: boolean;
  /** Headers of an inbound request that go on to every outbound call made for it, besides trace, baggage and request id. */
  readonly forwardHeaders?: readonly string[];
  /** Drain on SIGTERM and end the process's servers gracefully. Default true where `serve` is used. */
  readonly handleSignals?: boolean;
  /** Longest wait for requests in flight at shutdown. Default 10,000 ms. */
  readonly drainMs?: number;
  /** How long createMesh waits for the first configuration and certificate before it rejects. Default 15,000 ms; 0 returns at once. */
  readonly startTimeoutMs?: number;
  /** Tests only: time and randomness. */
  readonly clock?: Clock;
  readonly draws?: Draws;
}
