// The status of a call, read from its trailers (gRPC over HTTP/2, "Responses").
import type { IncomingHttpHeaders } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import { statusCode } from '../status-code.js';

export interface CallStatus {
  readonly code: number;
  readonly details: string;
  /** The trailers, for metadata. */
  readonly headers: IncomingHttpHeaders;
}

/** Status UNKNOWN where the server sent none. */
export function readStatus(headers: IncomingHttpHeaders): CallStatus {
  const code = grpcStatusOf(headers);
  if (code < 0) return { code: 2, details: 'the server ended the call without a status', headers };
  return { code, details: decodeMessage(headers['grpc-message']), headers };
}

/** -1 when there is none; a malformed one is UNKNOWN. */
export function grpcStatusOf(headers: IncomingHttpHeaders): number {
  const text = headers['grpc-status'];
  if (text === undefined) return -1;
  return typeof text === 'string' && /^\d{1,2}$/.test(text) && Number(text) <= 16 ? Number(text) : 2;
}

export function statusObject(status: CallStatus): StatusObject {
  const metadata = Metadata.fromHttp2Headers(status.headers);
  metadata.remove('grpc-status');
  metadata.remove('grpc-message');
  return { code: statusCode(status.code), details: status.details, metadata };
}

/** Percent-encoded UTF-8; what is no such text is taken as it is. */
function decodeMessage(text: string | string[] | undefined): string {
  if (typeof text !== 'string') return '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
