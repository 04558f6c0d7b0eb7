// An inbound gRPC call as filters, routes and telemetry see it.
import type { Metadata } from '@grpc/grpc-js';
import { JudgedRequest, type InboundConnection } from '@heddle/core/driver';

export class GrpcRequest extends JudgedRequest {
  constructor(
    readonly metadata: Metadata,
    connection: InboundConnection,
    /** `/package.Service/Method`, as registered with the server: there is nothing to normalise. */
    path: string,
    authority: string,
  ) {
    // gRPC clients send no x-forwarded-for that could be believed.
    super('POST', connection, path, authority, connection.facts.sourceIp);
  }

  protected override field(name: string): string | undefined {
    if (name === 'content-type') return 'application/grpc';
    if (name === 'te') return 'trailers';
    const values = this.metadata.get(name);
    if (values.length === 0) return undefined;
    return values.map((value) => (typeof value === 'string' ? value : value.toString('base64'))).join(',');
  }
}
