// Requests to an application under the mesh's inbound policies, over a pair of streams in memory: Node's own HTTP on both ends, no socket, no handshake.
import { request as httpRequest, type IncomingMessage, Server, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import type { PeerIdentity } from '../../identity/identity-provider.js';
import { parseSpiffeId } from '../../identity/spiffe-id.js';
import { admission } from '../../inbound/admission.js';
import { InboundConnection, networkRefusal } from '../../inbound/inbound-connection.js';
import { InboundPipeline, type PipelineOptions } from '../../inbound/http/inbound-pipeline.js';
import type { ConnectionFacts } from '../../snapshot/inbound-snapshot.js';

export interface InjectedRequest {
  /** Default GET. */
  readonly method?: string;
  /** Path with query. Default `/`. */
  readonly path?: string;
  /** `host` defaults to the service's name and port. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface InjectedCaller {
  /** SPIFFE id that the caller's certificate proves, e.g. `spiffe://cluster.local/ns/default/sa/web`; without one it speaks plain text. */
  readonly principal?: string;
  /** Default 127.0.0.1. */
  readonly sourceIp?: string;
  /** Port of the application that is called. Default: the only one that is served. */
  readonly port?: number;
}

export interface InjectedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
}

export interface Injection {
  readonly request: InjectedRequest;
  readonly caller: InjectedCaller;
  readonly application: RequestListener;
  readonly port: number;
  readonly authority: string;
  readonly localIp: string;
}

/** Requests that the policies hold back (an injected delay), and that have not reached the application yet. */
export interface Held {
  count: number;
}

/** What a sidecar in front would do. Rejects with ECONNRESET where policy refuses the connection itself, and says why. */
export async function injectRequest(
  options: PipelineOptions,
  { request, caller, application, port, authority, localIp }: Injection,
  held: Held,
): Promise<InjectedResponse> {
  const facts = factsOf(caller, port, localIp);
  const peer = caller.principal === undefined ? undefined : peerOf(caller.principal);
  const refusal = connectionRefusal(options, facts, peer);
  if (refusal !== undefined) throw Object.assign(new Error(`connection reset: ${refusal}`), { code: 'ECONNRESET' });
  const [near, far] = duplexPair();
  const connection = new InboundConnection(facts, socketOf(far, facts), peer);
  const pipeline = new InboundPipeline(options);
  const server = new Server((message, response) => {
    let waits = true;
    held.count += 1;
    const release = (): void => {
      if (waits) held.count -= 1;
      waits = false;
    };
    response.once('close', release);
    pipeline.handle(message, response, connection, () => {
      release();
      return application.call(server, message, response);
    });
  });
  server.emit('connection', far);
  try {
    return await send(near, { ...request, headers: { host: authority, ...request.headers } });
  } finally {
    near.destroy();
    far.destroy();
  }
}

function connectionRefusal(
  { snapshot, settings }: PipelineOptions,
  facts: ConnectionFacts,
  peer: PeerIdentity | undefined,
): string | undefined {
  const admitted = admission(snapshot(), facts, settings.awaitsFeed);
  if (admitted.kind === 'refuse') return admitted.reason;
  return admitted.kind === 'chain' ? networkRefusal(admitted.chain, facts, peer) : undefined;
}

function send(near: Duplex, { method = 'GET', path = '/', headers = {}, body }: InjectedRequest) {
  return new Promise<InjectedResponse>((resolve, reject) => {
    const outgoing = httpRequest({ method, path, headers, createConnection: () => near }, (incoming) => {
      void readAll(incoming).then(resolve, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function readAll(incoming: IncomingMessage): Promise<InjectedResponse> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  );
  return { status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString() };
}

function factsOf(
  { principal, sourceIp = '127.0.0.1' }: InjectedCaller,
  port: number,
  localIp: string,
): ConnectionFacts {
  const secure = principal !== undefined;
  return {
    destinationPort: port,
    destinationIp: localIp,
    sourceIp,
    sourcePort: 40_000,
    transport: secure ? 'tls' : 'raw_buffer',
    serverName: '',
    applicationProtocols: secure ? ['istio-http/1.1', 'istio', 'http/1.1'] : ['http/1.1'],
  };
}

function peerOf(principal: string): PeerIdentity {
  const parsed = parseSpiffeId(principal);
  if (!parsed.ok) throw new TypeError(`principal: "${principal}" is no SPIFFE id: ${parsed.reason}`);
  const { text: spiffeId, trustDomain, namespace, serviceAccount } = parsed.id;
  return { spiffeId, trustDomain, namespace, serviceAccount, certificateSha256: '', subject: '', dnsNames: [] };
}

/** What the pipeline and applications ask of a socket. */
function socketOf(stream: Duplex, { sourceIp, sourcePort, destinationIp, destinationPort }: ConnectionFacts): Socket {
  return Object.assign(stream, {
    remoteAddress: sourceIp,
    remotePort: sourcePort,
    localAddress: destinationIp,
    localPort: destinationPort,
    bytesRead: 0,
    bytesWritten: 0,
    destroySoon: () => stream.end(),
  }) as unknown as Socket;
}
