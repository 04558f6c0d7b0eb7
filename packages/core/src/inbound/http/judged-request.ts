// What an inbound request of any protocol is to filters, routes and telemetry: facts of its connection, and headers that the protocol looks up.
import type { FilterRequest } from '../../filters/http-filter.js';
import type { InboundConnection } from '../inbound-connection.js';

export abstract class JudgedRequest implements FilterRequest {
  readonly direction = 'inbound';
  readonly scheme: string;
  dynamicMetadata: Record<string, unknown> | undefined = undefined;

  constructor(
    readonly method: string,
    readonly connection: InboundConnection,
    /** Path with query as router, policies and application all see it. */
    readonly path: string,
    readonly authority: string,
    readonly remoteIp: string,
  ) {
    this.scheme = connection.facts.transport === 'tls' ? 'https' : 'http';
  }

  /** Value of a header by its lower-case name; never asked for pseudo headers. */
  protected abstract field(name: string): string | undefined;

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
        return this.field(name);
    }
  }

  /** Later filters see what earlier ones left, by namespace. */
  addMetadata(metadata: Readonly<Record<string, unknown>>): void {
    this.dynamicMetadata = { ...this.dynamicMetadata, ...metadata };
  }
}
