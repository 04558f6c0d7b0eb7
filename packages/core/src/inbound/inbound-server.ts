// The mesh's servers: makes them, watches policy for them, and drains them.
import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../clock.js';
import type { Draws } from '../draws.js';
import { MeshError } from '../errors.js';
import type { DownstreamSecurity } from '../identity/connection-security.js';
import type { PeerIdentity } from '../identity/identity-provider.js';
import type { ConnectionFacts } from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import type { InboundTelemetry } from '../telemetry/call-telemetry.js';
import { type Application, listenerOf } from './app-listener.js';
import { ConnectionAcceptor } from './connection-acceptor.js';
import { InboundPipeline } from './http/inbound-pipeline.js';
import { errorReply, sendReply } from './http/local-reply.js';
import type { InboundAccess } from './inbound-access.js';
import { InboundConnection, factsOf, networkRefusal } from './inbound-connection.js';
import type { InboundEventSink } from './inbound-event.js';
import { type InboundSettings, defaultInboundSettings } from './inbound-settings.js';
import { MeshHttpServer } from './mesh-http-server.js';
import { type MeshRequestInfo, meshInfo } from './mesh-request.js';
import { ServerGate } from './server-gate.js';

export interface InboundServerOptions {
  readonly snapshot: () => Snapshot;
  readonly security: DownstreamSecurity;
  readonly telemetry: InboundTelemetry;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly onEvent?: InboundEventSink | undefined;
  readonly settings?: Partial<InboundSettings> | undefined;
}

/** A server that listens. */
export interface InboundListener {
  readonly address: string;
  readonly port: number;
  readonly server: Server;
  /** Drains this server alone; see InboundServer.drain. */
  close(drainMs: number): Promise<void>;
}

export class InboundServer implements InboundAccess {
  readonly #options: InboundServerOptions & { readonly settings: InboundSettings; readonly onEvent: InboundEventSink };
  readonly #pipeline: InboundPipeline;
  readonly #servers = new Map<Server, ConnectionAcceptor>();
  readonly #acceptors = new Set<ConnectionAcceptor>();
  /** Connections of servers that are not ours, for adapters. */
  readonly #foreign = new WeakMap<Socket, InboundConnection>();
  #draining = false;

  constructor(options: InboundServerOptions) {
    const settings = { ...defaultInboundSettings, ...options.settings };
    this.#options = { ...options, settings, onEvent: isolated(options.onEvent) };
    this.#pipeline = new InboundPipeline(this.#options);
  }

  /** An http.Server that is not listening yet; its connections and requests obey the mesh. Drained with the others. */
  createServer(listener?: RequestListener): Server {
    return this.#newServer(listener);
  }

  /**
   * Makes a server that the application created itself obey the mesh from its next connection on; drained with the others. Its listeners run as before,
   * once policy has let a request in. Does nothing for a server that obeys already.
   */
  adopt(server: Server): void {
    if (this.#draining || this.#servers.has(server)) return;
    // Through the prototype: instrumentation that patched it sees admitted requests as usual.
    const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
    const gate = new ServerGate({
      ...this.#options,
      pipeline: this.#pipeline,
      emit: (event, args) => emit(event, ...args),
      serve: (event, request, response) => emit(event, request, response),
    });
    server.emit = (event: string | symbol, ...args: unknown[]) => gate.emit(event, args);
    // Node's default is shorter than the idle time of client pools, whose requests would meet closing connections; a value that was chosen stays.
    if (server.keepAliveTimeout === new Server().keepAliveTimeout)
      server.keepAliveTimeout = this.#options.settings.keepAliveTimeoutMs;
    this.#servers.set(server, gate.acceptor);
    server.once('close', () => this.#servers.delete(server));
  }

  /** Serves an application. `host` defaults to all interfaces, port 0 takes a free one. Rejects when the port can't be had. */
  async listen(application: Application, port: number, host?: string): Promise<InboundListener> {
    const listener = await listenerOf(application);
    if (this.#draining) throw new MeshError('CLOSED', 'the mesh is closing');
    const server = this.#newServer(listener);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const { address, port: actual } = server.address() as AddressInfo;
    return { address, port: actual, server, close: (drainMs) => this.#drainServer(server, drainMs) };
  }

  /**
   * Policy, TLS and identity for a server of another protocol (gRPC): give it sockets, and get back those that are let in, with their peers.
   * `spokenProtocols` are the ALPN names that it speaks, best first.
   */
  createAcceptor(
    spokenProtocols: readonly string[],
    deliver: (connection: InboundConnection) => void,
  ): ConnectionAcceptor {
    const acceptor = new ConnectionAcceptor({ ...this.#options, spokenProtocols, deliver });
    this.#acceptors.add(acceptor);
    return acceptor;
  }

  /** To be called after every new snapshot: closes what policy no longer allows. */
  policyChanged(): void {
    for (const acceptor of this.#servers.values()) acceptor.revalidate();
    for (const acceptor of this.#acceptors) acceptor.revalidate();
  }

  info(request: IncomingMessage): MeshRequestInfo | undefined {
    return meshInfo(request);
  }

  handle(request: IncomingMessage, response: ServerResponse, next: () => unknown): void {
    if (meshInfo(request) !== undefined) {
      next();
      return;
    }
    const connection = this.#adopt(request.socket);
    if (connection !== undefined) this.#pipeline.handle(request, response, connection, next);
    // Nothing is known of the connection, as with requests that a test framework injects, or its peer is refused.
    else sendReply(response, errorReply('DENIED', 'connection_not_admitted'), false);
  }

  /** Requests that have begun and not ended, on all servers. */
  get activeRequests(): number {
    return this.#pipeline.activeRequests;
  }

  /**
   * Stops accepting, tells every connection to close after its next response, closes those that stay idle (after `idleDrainMs`), and waits for requests in
   * flight for at most `drainMs`; what is left then is cut off. Resolves when no socket is left. Safe to call again.
   */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    this.#pipeline.beginDrain();
    await Promise.all([
      ...[...this.#servers.keys()].map((server) => this.#drainServer(server, drainMs)),
      ...[...this.#acceptors].map((acceptor) => this.#drainAcceptor(acceptor, drainMs)),
    ]);
    this.#acceptors.clear();
  }

  #newServer(listener: RequestListener | undefined): MeshHttpServer {
    const server = new MeshHttpServer(listener, { ...this.#options, pipeline: this.#pipeline });
    this.#servers.set(server, server.acceptor);
    return server;
  }

  #drainServer(server: Server, drainMs: number): Promise<void> {
    const acceptor = this.#servers.get(server);
    if (acceptor === undefined) return Promise.resolve();
    acceptor.closeOpening();
    for (const connection of acceptor.connections) connection.closing = true;
    const { clock, settings } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.after(drainMs, () => acceptor.destroyAll());
      const idleTimer = clock.after(Math.min(drainMs, settings.idleDrainMs), () => {
        for (const { requestsInFlight, socket } of acceptor.connections) if (requestsInFlight === 0) socket.destroy();
      });
      const finish = (): void => {
        timer.cancel();
        idleTimer.cancel();
        acceptor.close();
        this.#servers.delete(server);
        resolve();
      };
      if (server.listening) closeGently(server, finish);
      else finish();
    });
  }

  /** Connections of an adapter's server are that server's to end (HTTP/2: GOAWAY); what is left after `drainMs` is cut off. */
  async #drainAcceptor(acceptor: ConnectionAcceptor, drainMs: number): Promise<void> {
    acceptor.closeOpening();
    const closed = [...acceptor.connections].map(
      ({ socket }) =>
        new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve()))),
    );
    const timer = this.#options.clock.after(drainMs, () => acceptor.destroyAll());
    await Promise.all(closed);
    timer.cancel();
    acceptor.close();
  }

  /** The connection of a socket that another server accepted, judged once: its own TLS counts as far as the mesh can verify the peer. */
  #adopt(socket: Socket): InboundConnection | undefined {
    const known = this.#foreign.get(socket);
    if (known !== undefined) return known;
    const secure = socket instanceof TLSSocket ? socket : undefined;
    const facts = foreignFacts(socket, secure);
    if (facts === undefined) return undefined;
    const probe = new InboundConnection(facts, socket, undefined);
    const admitted = probe.admission(this.#options.snapshot(), this.#options.settings.awaitsFeed);
    const chain = admitted.kind === 'chain' ? admitted.chain : undefined;
    let peer: PeerIdentity | undefined;
    if (secure !== undefined && chain?.tls !== undefined) {
      const verdict = this.#options.security.verifyClient(secure, chain.tls);
      if (!verdict.ok && chain.tls.requireClientCertificate) return undefined;
      peer = verdict.ok ? verdict.peer : undefined;
    }
    if (chain !== undefined && networkRefusal(chain, facts, peer) !== undefined) return undefined;
    const connection = new InboundConnection(facts, socket, peer, chain?.tls, this.#options.security.generation);
    this.#foreign.set(socket, connection);
    return connection;
  }
}

/** Closes without what Node does first: resetting idle connections, whatever is on its way to them. */
function closeGently(server: Server, closed: () => void): void {
  const own = Object.getOwnPropertyDescriptor(server, 'closeIdleConnections');
  server.closeIdleConnections = () => undefined;
  server.close(closed);
  if (own === undefined) Reflect.deleteProperty(server, 'closeIdleConnections');
  else Object.defineProperty(server, 'closeIdleConnections', own);
}

function foreignFacts(socket: Socket, secure: TLSSocket | undefined): ConnectionFacts | undefined {
  if (secure === undefined) return factsOf(socket, 'raw_buffer', '', ['http/1.1']);
  const name = (secure as { readonly servername?: unknown }).servername;
  const protocol = secure.alpnProtocol;
  return factsOf(
    secure,
    'tls',
    typeof name === 'string' ? name.toLowerCase() : '',
    protocol === null || protocol === false ? [] : [protocol],
  );
}

/** A sink that throws must not end a request. */
function isolated(sink: InboundEventSink | undefined): InboundEventSink {
  return (event) => {
    try {
      sink?.(event);
    } catch {
      // Nothing to tell it to: the sink is the place that failures are told to.
    }
  };
}
