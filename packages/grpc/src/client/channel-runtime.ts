// What all calls of one channel share.
import type { MeshInternals } from '@heddle/core/driver';
import type { EndpointSessions } from './endpoint-sessions.js';

export interface ChannelOptions {
  /**
   * True when every method of the channel may be sent twice. Default: calls with `idempotency-key` metadata, and calls whose route names gRPC
   * statuses to retry on (gRFC A6: the operator says so per method). All others are retried only where the server provably did not process them.
   */
  readonly idempotent?: boolean | undefined;
  /** Largest message taken from a server. Default 4 MiB, as grpc-js. */
  readonly maxReceiveMessageBytes?: number | undefined;
}

export interface ChannelRuntime {
  readonly internals: Pick<MeshInternals, 'clock' | 'outbound' | 'settings' | 'telemetry'>;
  readonly sessions: EndpointSessions;
  /** The target: lower-case host, port, and authority as clients name it. */
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly idempotent: boolean;
  readonly maxReceiveMessageBytes: number;
  readonly closed: boolean;
}
