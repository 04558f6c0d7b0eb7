// A bare HTTP client, which sends paths and headers as they are: to an Envoy's outbound listener, or straight to a server by plain text or Istio's TLS.
import { Agent, type ClientRequestArgs, request } from 'node:http';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { CaseRequest } from './case-file.js';
import { digest, headersOf, type Headers } from './observation.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly end: string;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string; readonly alpn: readonly string[] };
}

export const NO_ANSWER: Answer = { status: 0, headers: {}, body: '', end: 'no-response' };

/** A request that gets no answer ends after this. */
export const LIMIT_MS = 9_000;

/** Path and query as the case wrote them. */
export function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/, '');
  return path === '' ? '/' : path;
}

export const authorityOf = (url: string): string => /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? '';

export function bodyOf(call: CaseRequest): Buffer | undefined {
  if (call.bodyBytes !== undefined) return Buffer.alloc(call.bodyBytes, 'a');
  return call.body === undefined ? undefined : Buffer.from(call.body);
}

export function controlHeaders(call: CaseRequest, id: string): [string, string][] {
  const headers: [string, string][] = [...(call.headers ?? []).map(([name, value]): [string, string] => [name, value])]; // prettier-ignore
  headers.push(['x-call', id]);
  if (call.answers !== undefined) headers.push(['x-echo', call.answers]);
  if (call.answerHeaders !== undefined) headers.push(['x-echo-headers', JSON.stringify(call.answerHeaders)]);
  return headers;
}

export class RawClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512 });

  send(call: CaseRequest, id: string, target: Target): Promise<Answer> {
    const body = bodyOf(call);
    const chunked = call.chunked === true;
    const length: [string, string][] =
      body === undefined
        ? []
        : chunked
          ? [['transfer-encoding', 'chunked']]
          : [['content-length', String(body.length)]];
    const host = call.host ?? authorityOf(call.url);
    const headers = [['host', host], ...controlHeaders(call, id), ...length].flat();
    const { tls } = target;
    const connection: ClientRequestArgs =
      tls === undefined ? { agent: this.#agent } : { createConnection: () => secureSocket(target, tls) };
    return new Promise((resolve) => {
      const outgoing = request({
        host: target.host,
        port: target.port,
        method: call.method ?? 'GET',
        path: pathOf(call.url),
        headers: headers as never,
        setHost: false,
        timeout: LIMIT_MS,
        ...connection,
      });
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => resolve(NO_ANSWER));
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        const done = (end: string) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: headersOf(response.rawHeaders),
            body: end === 'complete' ? digest(Buffer.concat(chunks)) : '',
            end,
          });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => done('complete'));
        response.on('error', () => done('broken-body'));
      });
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function secureSocket(target: Target, tls: NonNullable<Target['tls']>): Socket {
  const { cert, key, ca, alpn } = tls;
  return connectTls({
    host: target.host,
    port: target.port,
    ca,
    // An empty certificate stands for none.
    ...(cert === '' ? {} : { cert, key }),
    ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
    servername: 'outbound_.9080_._.server.default.svc.cluster.local',
    checkServerIdentity: () => undefined,
  });
}
