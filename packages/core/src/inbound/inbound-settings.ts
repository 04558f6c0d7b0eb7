// Limits and choices of the inbound side, with their defaults.

export interface InboundSettings {
  /**
   * True when a feed will deliver this workload's inbound policy: until its first delivery every connection is refused. False for a mesh without a feed,
   * which serves plain text without policy.
   */
  readonly awaitsFeed: boolean;
  /** Time for the first byte, the ClientHello, and then for the handshake. */
  readonly handshakeTimeoutMs: number;
  /** Time for the request head, and for the whole request (slow senders are cut off with 408); 0 = none. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Idle time of a kept-alive connection. */
  readonly keepAliveTimeoutMs: number;
  /** Time that requests in flight get when policy no longer allows their connection. */
  readonly revokeGraceMs: number;
  /**
   * How long a drain leaves idle connections open, so that requests on their way to them are still answered (with Connection: close) and not reset: a
   * POST that met a reset can't be sent again (Envoy: drain-time-s, 600 by default).
   */
  readonly idleDrainMs: number;
  /** Largest request head (Envoy: max_request_headers_kb, 60). */
  readonly maxHeaderBytes: number;
  /** This workload's SPIFFE id for `By=` in x-forwarded-client-cert. */
  readonly localSpiffeId: () => string | undefined;
}

export const defaultInboundSettings: InboundSettings = {
  awaitsFeed: true,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 300_000,
  // Longer than the idle time of any sane client pool, so that the client closes first and no request meets a closing connection.
  keepAliveTimeoutMs: 3_600_000,
  revokeGraceMs: 5_000,
  idleDrainMs: 500,
  maxHeaderBytes: 61_440,
  localSpiffeId: () => undefined,
};
