// Mesh servers on real sockets for tests, with callers that speak plain text, raw bytes and mutual TLS.
import { once } from 'node:events';
import { type Agent, type IncomingMessage, type RequestListener, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { systemClock } from '../clock.js';
import type { HttpFilter } from '../filters/http-filter.js';
import type { InboundEvent } from '../inbound/inbound-event.js';
import { InboundServer } from '../inbound/inbound-server.js';
import type { InboundSettings } from '../inbound/inbound-settings.js';
import type { UpstreamTls } from '../snapshot/cluster-snapshot.js';
import type { InboundHttp, InboundSnapshot } from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import {
  type TestWorkload,
  inboundHttp,
  inboundSnapshot,
  recordingTelemetry,
  snapshotOf,
  testWorkload,
} from './inbound-fixtures.js';
import { testAuthority } from './test-certificates.js';
import { VirtualClock } from './virtual-clock.js';

const details = 'spiffe://cluster.local/ns/default/sa/details';

export interface Served {
  readonly port: number;
  readonly server: InboundServer;
  readonly own: TestWorkload;
  readonly events: InboundEvent[];
  readonly finished: ReturnType<typeof recordingTelemetry>['finished'];
  readonly use: (inbound: InboundSnapshot) => void;
}

/** Everything that it makes ends with `close`. */
export class InboundRig {
  readonly #authority = testAuthority('cluster.local');
  readonly #ends: (() => unknown)[] = [];

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  /** A workload of the mesh's own authority. */
  readonly workload = (spiffeId: string): TestWorkload => this.keep(testWorkload(this.#authority, spiffeId));

  /** A workload that trusts the mesh, with a certificate of an authority that the mesh does not know. */
  readonly stranger = (spiffeId: string): TestWorkload =>
    this.keep(testWorkload(testAuthority('cluster.local'), spiffeId, [this.#authority]));

  keep<Closable extends { close(): unknown }>(made: Closable): Closable {
    this.#ends.push(() => made.close());
    return made;
  }

  /** Serves under a snapshot that `use` replaces, in real time. */
  readonly serve = async (
    first: Snapshot,
    listener: RequestListener = hello,
    settings: Partial<InboundSettings> = {},
  ): Promise<Served> => {
    let snapshot = first;
    const own = this.workload(details);
    const events: InboundEvent[] = [];
    const { telemetry, finished } = recordingTelemetry();
    const onEvent = (event: InboundEvent): unknown => events.push(event);
    const { security } = own;
    const clock = systemClock;
    const server = new InboundServer({
      snapshot: () => snapshot,
      security,
      telemetry,
      clock,
      draws: () => 0.5,
      onEvent,
      settings,
    });
    const { port } = await server.listen(listener, 0, '127.0.0.1');
    this.#ends.push(() => server.drain(0));
    const use = (inbound: InboundSnapshot): void => {
      snapshot = snapshotOf(inbound, snapshot.generation + 1);
      server.policyChanged();
    };
    return { port, server, own, events, finished, use };
  };

  /** A server with filters, in virtual time, that does not listen yet. */
  readonly filtering = (filters: readonly HttpFilter[], http: Partial<InboundHttp> = {}) => {
    const { security } = this.workload(details);
    const events: InboundEvent[] = [];
    const clock = new VirtualClock();
    const { telemetry, finished, calls } = recordingTelemetry(clock);
    const snapshot = snapshotOf(inboundSnapshot('permissive', { http: inboundHttp(filters, http) }));
    const onEvent = (event: InboundEvent): unknown => events.push(event);
    const server = new InboundServer({
      snapshot: () => snapshot,
      security,
      telemetry,
      clock,
      draws: () => 0.5,
      onEvent,
    });
    this.#ends.push(() => {
      const drained = server.drain(0);
      clock.advance(1);
      return drained;
    });
    return { server, clock, finished, calls, events };
  };

  /** The same, listening. */
  readonly serveFiltered = async (
    listener: RequestListener,
    filters: readonly HttpFilter[] = [],
    http: Partial<InboundHttp> = {},
  ) => {
    const made = this.filtering(filters, http);
    const { port } = await made.server.listen(listener, 0, '127.0.0.1');
    return { ...made, port };
  };
}

export const hello: RequestListener = (request, response) => {
  response.end(request.mesh?.peer?.spiffeId ?? 'anonymous');
};

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

function answerOf(request: ReturnType<typeof httpRequest>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve({ status: response.statusCode, body, headers: response.headers }));
      response.once('error', reject);
    });
    request.end();
  });
}

export const plain = (port: number, path = '/', agent?: Agent): Promise<Answer> =>
  answerOf(httpRequest({ host: '127.0.0.1', port, path, agent: agent ?? false }));

const upstreamTls: UpstreamTls = {
  presentsCertificate: true,
  certificateSource: { kind: 'identity' },
  rootSource: { kind: 'identity' },
  serverName: 'outbound_.9080_._.details.default.svc.cluster.local',
  alpnProtocols: ['istio-http/1.1', 'istio', 'http/1.1'],
  sans: [],
  minVersion: undefined,
  maxVersion: undefined,
  ciphers: [],
  key: 'up',
};

export function secureOptions(caller: TestWorkload, changes: Partial<UpstreamTls> = {}): ConnectionOptions {
  return caller.security.connectOptions({ ...upstreamTls, ...changes });
}

export const secure = (port: number, caller: TestWorkload, changes: Partial<UpstreamTls> = {}): Promise<Answer> =>
  answerOf(
    httpsRequest({ host: '127.0.0.1', port, path: '/', agent: false, ...secureOptions(caller, changes) } as never),
  );

export async function secureSocket(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = tlsConnect({ host: '127.0.0.1', port, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** One request on a connection of its own. */
export const call = (
  port: number,
  path = '/',
  headers: Record<string, string | string[]> = {},
  method = 'GET',
): Promise<Answer> => answerOf(httpRequest({ host: '127.0.0.1', port, path, headers, method, agent: false }));

/** Sends bytes as they are and returns all that comes back. */
export async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  socket.end(text, 'latin1');
  await once(socket, 'close');
  return answer;
}

export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
}

export function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve: (value) => resolve(value) };
}
