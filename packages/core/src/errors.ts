// The one error type of Heddle, and the one table from its codes to HTTP status, gRPC status and Envoy's response flag.

/** One row of the table: what a caller over HTTP or gRPC meets, and what logs and metrics say. */
export interface ErrorKind {
  readonly httpStatus: number;
  readonly grpcStatus: number;
  /** Envoy's short response flag, `-` for none (Envoy: access log, RESPONSE_FLAGS). */
  readonly flag: string;
  /** Body that Envoy sends with a reply of its own; empty where it sends none. */
  readonly body: string;
}

/** Every code. Adding one means a row here, a line in docs/reference/errors.md and a test that meets it. */
export const ERROR_KINDS = {
  /** No virtual host or route takes the request. */
  NO_ROUTE: { httpStatus: 404, grpcStatus: 12, flag: 'NR', body: '' },
  /** The route names a cluster that does not exist. */
  NO_CLUSTER: { httpStatus: 503, grpcStatus: 14, flag: 'NC', body: '' },
  /** The cluster has no endpoint that may be used. */
  NO_HEALTHY_UPSTREAM: { httpStatus: 503, grpcStatus: 14, flag: 'UH', body: 'no healthy upstream' },
  /** No connection to the endpoint could be made (refused, unreachable, TLS failure). */
  UPSTREAM_CONNECT: {
    httpStatus: 503,
    grpcStatus: 14,
    flag: 'UF',
    body: 'upstream connect error or disconnect/reset before headers',
  },
  /** The endpoint closed or reset the connection before its response was complete. */
  UPSTREAM_RESET: {
    httpStatus: 503,
    grpcStatus: 14,
    flag: 'UC',
    body: 'upstream connect error or disconnect/reset before headers',
  },
  /** The endpoint's answer was no HTTP. */
  UPSTREAM_PROTOCOL: {
    httpStatus: 502,
    grpcStatus: 14,
    flag: 'UPE',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: protocol error',
  },
  /** The route's timeout or the per-try timeout of the last attempt ran out. */
  UPSTREAM_TIMEOUT: { httpStatus: 504, grpcStatus: 4, flag: 'UT', body: 'upstream request timeout' },
  /** The deadline that came with the inbound request (or the call) ran out before the call was sent or answered. */
  DEADLINE_EXCEEDED: { httpStatus: 504, grpcStatus: 4, flag: 'UT', body: 'upstream request timeout' },
  /** A circuit-breaker limit was reached. */
  OVERFLOW: {
    httpStatus: 503,
    grpcStatus: 14,
    flag: 'UO',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: overflow',
  },
  /** A configured fault aborted the call. Status and gRPC status come from the configuration. */
  FAULT_ABORT: { httpStatus: 503, grpcStatus: 14, flag: 'FI', body: 'fault filter abort' },
  /** Authorization refused the request. */
  DENIED: { httpStatus: 403, grpcStatus: 7, flag: '-', body: 'RBAC: access denied' },
  /** A required token is missing or invalid. */
  UNAUTHENTICATED: { httpStatus: 401, grpcStatus: 16, flag: '-', body: '' },
  /** A rate limit refused the request. */
  RATE_LIMITED: { httpStatus: 429, grpcStatus: 14, flag: 'RL', body: 'local_rate_limited' },
  /** The mesh allows no call to hosts that it does not know (REGISTRY_ONLY). */
  EGRESS_BLOCKED: { httpStatus: 502, grpcStatus: 14, flag: '-', body: '' },
  /** The caller went away or aborted. */
  CANCELLED: { httpStatus: 499, grpcStatus: 1, flag: 'DC', body: '' },
  /** The request itself is malformed (path, header, method). */
  INVALID_REQUEST: { httpStatus: 400, grpcStatus: 3, flag: '-', body: '' },
  /** The peer's certificate does not prove the identity that policy asks for. */
  IDENTITY_REJECTED: {
    httpStatus: 503,
    grpcStatus: 14,
    flag: 'UF',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
  },
  /** This workload has no certificate yet (or no longer), so mutual TLS is impossible. */
  IDENTITY_UNAVAILABLE: {
    httpStatus: 503,
    grpcStatus: 14,
    flag: 'UF',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
  },
  /** No configuration arrived in time and none was cached. */
  FEED_UNAVAILABLE: { httpStatus: 503, grpcStatus: 14, flag: 'NC', body: '' },
  /** Options, environment or a configuration file are wrong; the message names which. */
  CONFIG_INVALID: { httpStatus: 500, grpcStatus: 13, flag: '-', body: '' },
  /** The mesh was closed. */
  CLOSED: { httpStatus: 503, grpcStatus: 14, flag: '-', body: '' },
  /** A defect of Heddle or of a user's callback, contained in one request. */
  INTERNAL: { httpStatus: 500, grpcStatus: 13, flag: '-', body: '' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** Brand that recognises a MeshError of any copy of the library in the process. */
const brand = Symbol.for('heddle.MeshError');

export interface MeshErrorOptions {
  /** Resource or setting at fault, e.g. `cluster outbound|9080||reviews.default.svc.cluster.local`. */
  readonly resource?: string | undefined;
  /** Envoy's RESPONSE_CODE_DETAILS where there is one, e.g. `rbac_access_denied_matched_policy[none]`. */
  readonly details?: string | undefined;
  readonly cause?: unknown;
}

/** What `mesh.fetch` throws with `{ errors: 'throw' }`, what drivers fail with, and what start-up rejects with. */
export class MeshError extends Error {
  readonly [brand] = true;
  readonly code: ErrorCode;
  readonly resource: string | undefined;
  readonly details: string | undefined;

  constructor(code: ErrorCode, message: string, options: MeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MeshError';
    this.code = code;
    this.resource = options.resource;
    this.details = options.details;
  }

  /** HTTP status, gRPC status, flag and body of this error's code. */
  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }

  /** True for a MeshError of this or another copy of the library. */
  static is(value: unknown): value is MeshError {
    return typeof value === 'object' && value !== null && (value as Record<PropertyKey, unknown>)[brand] === true;
  }
}
