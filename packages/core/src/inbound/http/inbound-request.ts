// An inbound HTTP request as filters, routes and telemetry see it.
import type { IncomingMessage } from 'node:http';
import type { InboundConnection } from '../inbound-connection.js';
import { JudgedRequest } from './judged-request.js';
import { readHeader } from './request-headers.js';

export class InboundRequest extends JudgedRequest {
  constructor(
    readonly message: IncomingMessage,
    connection: InboundConnection,
    path: string,
    authority: string,
    remoteIp: string,
  ) {
    super(message.method ?? 'GET', connection, path, authority, remoteIp);
  }

  values(name: string): readonly string[] {
    const { rawHeaders } = this.message;
    const values: string[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2)
      if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '');
    return values.length === 0 ? [this.header(name) ?? ''] : values;
  }

  protected override field(name: string): string | undefined {
    return readHeader(this.message, name);
  }
}
