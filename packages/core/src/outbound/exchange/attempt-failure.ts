// How an attempt can fail without an answer, and what Envoy tells the caller about each way.
import type { ErrorCode } from '../../errors.js';
import { localReply, type LocalReply } from './local-reply.js';

export type AttemptFailure =
  /** No connection could be made: refused, unreachable, TLS failure, or not in time. */
  | 'connect-failure'
  | 'connect-timeout'
  /** The peer's certificate does not prove what policy asks for, or this workload has none to show. */
  | 'identity-rejected'
  | 'identity-unavailable'
  /** The upstream refused the stream before processing it (HTTP/2 REFUSED_STREAM, GOAWAY below its id). */
  | 'refused-stream'
  /** The connection was lost before any byte of the request was written. */
  | 'reset-before-request'
  /** A pooled connection ended before a byte of the answer: most likely it was closed while it was idle. */
  | 'stale-connection'
  /** The connection ended, or the stream was reset, after the request (or a part of it) had gone out. */
  | 'connection-termination'
  | 'remote-reset'
  /** The answer was no HTTP. */
  | 'protocol-error'
  /** The per-try timeout ran out, or nothing moved for the per-try idle timeout. */
  | 'try-timeout'
  | 'try-idle-timeout';

interface FailureFacts {
  readonly code: ErrorCode;
  readonly flag: string;
  /** Envoy's words for the reset reason. */
  readonly reason: string;
  /** The upstream provably did not process the request, so that any method may be sent again. */
  readonly unprocessed: boolean;
  /** Envoy: StreamResetReason::ConnectionFailure. */
  readonly connecting: boolean;
  /** Outlier detection counts it as 504, not 503. */
  readonly timedOut: boolean;
}

export const FAILURES: Readonly<Record<AttemptFailure, FailureFacts>> = {
  'connect-failure': facts('UPSTREAM_CONNECT', 'UF', 'remote connection failure', true, true),
  'connect-timeout': facts('UPSTREAM_CONNECT', 'UF', 'connection timeout', true, true),
  'identity-rejected': facts('IDENTITY_REJECTED', 'UF', 'remote connection failure', true, true),
  'identity-unavailable': facts('IDENTITY_UNAVAILABLE', 'UF', 'local connection failure', true, true),
  'refused-stream': facts('UPSTREAM_RESET', 'UR', 'remote refused stream reset', true, false),
  'reset-before-request': facts('UPSTREAM_RESET', 'UC', 'connection termination', true, false),
  'stale-connection': facts('UPSTREAM_RESET', 'UC', 'connection termination', false, false),
  'connection-termination': facts('UPSTREAM_RESET', 'UC', 'connection termination', false, false),
  'remote-reset': facts('UPSTREAM_RESET', 'UR', 'remote reset', false, false),
  'protocol-error': facts('UPSTREAM_PROTOCOL', 'UPE', 'protocol error', false, false),
  'try-timeout': facts('UPSTREAM_TIMEOUT', 'UT', 'local reset', false, false),
  'try-idle-timeout': facts('UPSTREAM_TIMEOUT', 'UT', 'local reset', false, false),
};

function facts(code: ErrorCode, flag: string, reason: string, unprocessed: boolean, connecting: boolean): FailureFacts {
  return { code, flag, reason, unprocessed, connecting, timedOut: code === 'UPSTREAM_TIMEOUT' };
}

/** Envoy's answer to a failure that is not retried (router.cc, onUpstreamReset and onUpstreamAbort). */
export function failureReply(failure: AttemptFailure, attempts: number, cause: string | undefined): LocalReply {
  const { code, flag, reason } = FAILURES[failure];
  if (failure === 'try-timeout') return localReply(code, { flag, details: 'upstream_per_try_timeout' });
  if (failure === 'try-idle-timeout') return localReply(code, { flag, details: 'upstream_per_try_idle_timeout' });
  const retried = attempts > 1 ? 'retried and the latest ' : '';
  // Envoy 1.39 (hide_transport_failure_reason_in_response_body): the transport's words are for the operator, not for the caller.
  const text = (cause === undefined ? reason : `${reason}|${cause}`).replaceAll(' ', '_');
  return localReply(code, {
    flag,
    body: `upstream connect error or disconnect/reset before headers. ${retried}reset reason: ${reason}`,
    details: `upstream_reset_before_response_started{${text}}`,
  });
}
