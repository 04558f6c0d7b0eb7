// An inbound request as filters, routes and telemetry see it.
import type { IncomingMessage } from 'node:http';
import type { FilterRequest } from '../../filters/http-filter.js';
import type { InboundConnection } from '../inbound-connection.js';
import { readHeader } from './request-headers.js';

export class InboundRequest implements FilterRequest {
  readonly direction = 'inbound';
  readonly method: string;
  readonly scheme: string;
  dynamicMetadata: Record<string, unknown> | undefined = undefined;

  constructor(
    readonly message: IncomingMessage,
    readonly connection: InboundConnection,
    /** Path with query as router, policies and application all see it. */
    readonly path: string,
    readonly authority: string,
    readonly remoteIp: string,
  ) {
    this.method = message.method ?? 'GET';
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
      default:
        return readHeader(this.message, name);
    }
  }

  values(name: string): readonly string[] {
    const { rawHeaders } = this.message;
    const values: string[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2)
      if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '');
    return values.length === 0 ? [this.header(name) ?? ''] : values;
  }

  /** Later filters see what earlier ones left, by namespace. */
  addMetadata(metadata: Readonly<Record<string, unknown>>): void {
    this.dynamicMetadata = { ...this.dynamicMetadata, ...metadata };
  }
}
