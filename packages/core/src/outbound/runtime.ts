// What all calls of one mesh share: made once by OutboundClient, handed to every call.
import type { Clock } from '../clock.js';
import type { ClusterStates } from '../cluster-state/cluster-states.js';
import type { Draws } from '../draws.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { OutboundTelemetry } from '../telemetry/call-telemetry.js';
import type { DnsEndpoints } from '../transport/dns-endpoints.js';
import type { EndpointPools } from '../transport/endpoint-pools.js';
import type { DeadlineWheel } from './exchange/deadline-wheel.js';
import type { ExchangeScope } from './exchange/exchange.js';
import type { HeaderLookup } from './http/attempt-head.js';
import type { HeaderFlattener } from './http/request-headers.js';
import type { OriginTable } from './origin-table.js';

export interface OutboundOptions {
  /** Retries POST, PATCH and the like as Envoy does, whatever happened to the first copy (HEDDLE_RETRY_NON_IDEMPOTENT). Default false. */
  readonly retryNonIdempotent?: boolean;
  /** How much of a streamed request body is kept for a retry, in bytes. Default 1 MiB. */
  readonly replayLimitBytes?: number;
}

export interface OutboundRuntime {
  readonly clock: Clock;
  readonly draws: Draws;
  readonly scope: ExchangeScope;
  readonly states: ClusterStates;
  readonly telemetry: OutboundTelemetry;
  readonly pools: EndpointPools;
  readonly dns: DnsEndpoints;
  readonly wheel: DeadlineWheel;
  readonly flattener: HeaderFlattener;
  readonly lookup: HeaderLookup;
  readonly origins: OriginTable;
  readonly retryNonIdempotent: boolean;
  readonly replayLimitBytes: number;
  readonly closed: boolean;
  /** The snapshot in force; a call asks once. */
  currentSnapshot(): Snapshot;
  callStarted(): void;
  callEnded(): void;
}
