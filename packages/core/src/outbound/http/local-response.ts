// A reply of the mesh as the response head and body that a caller over HTTP or gRPC expects (Envoy: local_reply, Grpc::Common::sendLocalReply).
import { httpToGrpcStatus } from '../../filters/grpc-status.js';
import type { LocalReply } from '../exchange/local-reply.js';
import type { ResponseHeaders } from './header-operations.js';

// Not by `import`: linking node:http reads its lazy exports (WebSocket, …), which loads the whole built-in fetch.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

export interface LocalResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: ResponseHeaders;
  readonly body: Buffer | undefined;
}

export function localResponse(reply: LocalReply, grpc: boolean, method: string): LocalResponse {
  const headers: ResponseHeaders = {};
  for (const [name, value] of reply.headers) headers[name] = value;
  if (grpc) {
    headers['content-type'] = 'application/grpc';
    headers['grpc-status'] = String(reply.grpcStatus ?? httpToGrpcStatus(reply.status));
    if (reply.body !== '') headers['grpc-message'] = encodeGrpcMessage(reply.body);
    return { status: 200, statusText: 'OK', headers, body: undefined };
  }
  const body = reply.body === '' ? undefined : Buffer.from(reply.body);
  // Envoy: an empty answer to HEAD says nothing of a length.
  if (body !== undefined || method !== 'HEAD') headers['content-length'] = String(body?.length ?? 0);
  if (body !== undefined) headers['content-type'] ??= 'text/plain';
  const statusText = STATUS_CODES[reply.status] ?? '';
  return { status: reply.status, statusText, headers, body: method === 'HEAD' ? undefined : body };
}

/** Percent-encoding of grpc-message (gRPC over HTTP/2: Status-Message). */
function encodeGrpcMessage(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}
