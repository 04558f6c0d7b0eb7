// Answers that the mesh gives instead of the application, for HTTP and, in trailers-only form, for gRPC (Envoy: local replies; gRPC over HTTP/2).
import type { ServerResponse } from 'node:http';
import { ERROR_KINDS, type ErrorCode } from '../../errors.js';
import type { ReplyAction } from '../../filters/http-filter.js';
import { httpToGrpcStatus } from '../../filters/grpc-status.js';

/** The reply of an error code. */
export function errorReply(code: ErrorCode, details: string): ReplyAction {
  const { httpStatus, grpcStatus, body, flag } = ERROR_KINDS[code];
  return { kind: 'reply', code, status: httpStatus, grpcStatus, headers: [], body, flag, details, policy: undefined };
}

export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+;])/.test(contentType);
}

/** Sends the reply and returns the gRPC status that the caller is told, -1 for an HTTP caller. Never throws; a response that began is cut off. */
export function sendReply(response: ServerResponse, reply: ReplyAction, grpc: boolean): number {
  const grpcStatus = grpc ? (reply.grpcStatus ?? httpToGrpcStatus(reply.status)) : -1;
  if (response.headersSent) {
    response.destroy();
    return grpcStatus;
  }
  for (const [name, value] of reply.headers) response.setHeader(name, value);
  if (grpc) {
    response.writeHead(200, {
      'content-type': 'application/grpc',
      'grpc-status': String(grpcStatus),
      'grpc-message': grpcMessage(reply.body),
    });
    response.end();
    return grpcStatus;
  }
  if (reply.body !== '') response.setHeader('content-type', 'text/plain');
  response.setHeader('content-length', Buffer.byteLength(reply.body));
  response.writeHead(reply.status);
  response.end(reply.body);
  return grpcStatus;
}

/** gRPC over HTTP/2: Status-Message is percent-encoded UTF-8 of printable ASCII without `%`. */
function grpcMessage(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]/gu, encodeURIComponent);
}
