// An inbound gRPC call as filters, routes and telemetry see it.
import type { Metadata } from '@grpc/grpc-js';
import type { FilterRequest, InboundConnection } from '@heddle/core/driver';

export class GrpcRequest implements FilterRequest {
  readonly direction = 'inbound';
  readonly method = 'POST';
  readonly scheme: string;
  dynamicMetadata: Record<string, unknown> | undefined = undefined;

  constructor(
    readonly metadata: Metadata,
    readonly connection: InboundConnection,
    /** `/package.Service/Method`, as registered with the server: there is nothing to normalise. */
    readonly path: string,
    readonly authority: string,
  ) {
    this.scheme = connection.facts.transport === 'tls' ? 'https' : 'http';
  }

  get normalizedPath(): string {
    return this.path;
  }

  get peerPrincipal(): string | undefined {
    return this.connection.peer?.spiffeId;
  }

  get sourceIp(): string {
    return this.connection.facts.sourceIp;
  }

  get sourcePort(): number {
    return this.connection.facts.sourcePort;
  }

  /** gRPC clients send no x-forwarded-for that could be believed. */
  get remoteIp(): string {
    return this.connection.facts.sourceIp;
  }

  get destinationIp(): string {
    return this.connection.facts.destinationIp;
  }

  get destinationPort(): number {
    return this.connection.facts.destinationPort;
  }

  get serverName(): string {
    return this.connection.facts.serverName;
  }

  header(name: string): string | undefined {
    switch (name) {
      case ':path':
        return this.path;
      case ':method':
        return this.method;
      case ':authority':
        return this.authority;
      case ':scheme':
        return this.scheme;
      case 'content-type':
        return 'application/grpc';
      case 'te':
        return 'trailers';
      default:
        return this.#fromMetadata(name);
    }
  }

  addMetadata(metadata: Readonly<Record<string, unknown>>): void {
    this.dynamicMetadata = { ...this.dynamicMetadata, ...metadata };
  }

  #fromMetadata(name: string): string | undefined {
    const values = this.metadata.get(name);
    if (values.length === 0) return undefined;
    return values.map((value) => (typeof value === 'string' ? value : value.toString('base64'))).join(',');
  }
}
