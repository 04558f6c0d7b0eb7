// The head of an outbound request: what routes and filters read, and what filters and header operations change.
import type { FilterRequest } from '../../filters/http-filter.js';

export class OutboundHead implements FilterRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
  /** Names (lower case) and values in turn; never `host`, never hop-by-hop. */
  readonly headers: string[];
  dynamicMetadata: Readonly<Record<string, unknown>> | undefined = undefined;
  readonly destinationPort: number | undefined;
  /** Cluster that the route chose. */
  cluster: string | undefined = undefined;

  constructor(method: string, path: string, authority: string, scheme: string, port: number, headers: string[]) {
    this.method = method;
    this.path = path;
    this.authority = authority;
    this.scheme = scheme;
    this.destinationPort = port;
    this.headers = headers;
  }

  get normalizedPath(): string {
    return this.path;
  }

  // What only an inbound request has; getters, because a field costs every call.

  get direction(): 'outbound' {
    return 'outbound';
  }

  get peerPrincipal(): undefined {
    return undefined;
  }

  get sourceIp(): undefined {
    return undefined;
  }

  get sourcePort(): undefined {
    return undefined;
  }

  get remoteIp(): undefined {
    return undefined;
  }

  get destinationIp(): undefined {
    return undefined;
  }

  get serverName(): undefined {
    return undefined;
  }

  header(name: string): string | undefined {
    if (name.startsWith(':')) return this.#pseudoHeader(name);
    const { headers } = this;
    let value: string | undefined = undefined;
    for (let index = 0; index < headers.length; index += 2) {
      if (headers[index] !== name) continue;
      const next = headers[index + 1] as string;
      value = value === undefined ? next : `${value},${next}`;
    }
    return value === undefined && name === 'host' ? this.authority : value;
  }

  values(name: string): readonly string[] {
    const { headers } = this;
    const values: string[] = [];
    for (let index = 0; index < headers.length; index += 2)
      if (headers[index] === name) values.push(headers[index + 1] as string);
    return values.length === 0 ? [this.header(name) ?? ''] : values;
  }

  setHeader(name: string, value: string): void {
    this.removeHeader(name);
    this.headers.push(name, value);
  }

  removeHeader(name: string): void {
    const { headers } = this;
    for (let index = headers.length - 2; index >= 0; index -= 2) if (headers[index] === name) headers.splice(index, 2);
  }

  addMetadata(metadata: Readonly<Record<string, unknown>> | undefined): void {
    if (metadata !== undefined) this.dynamicMetadata = { ...this.dynamicMetadata, ...metadata };
  }

  #pseudoHeader(name: string): string | undefined {
    switch (name) {
      case ':method':
        return this.method;
      case ':path':
        return this.path;
      case ':authority':
        return this.authority;
      case ':scheme':
        return this.scheme;
      default:
        return undefined;
    }
  }
}
