// An http.Server whose connections and requests all pass the mesh's policies first, whatever listeners the application adds to it.
import { type IncomingMessage, type RequestListener, Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionAcceptor, type AcceptorOptions } from './connection-acceptor.js';
import type { InboundPipeline } from './http/inbound-pipeline.js';
import type { InboundConnection } from './inbound-connection.js';
import type { InboundSettings } from './inbound-settings.js';

/** HTTP/1.1 names, best first. HTTP/2 is not offered: Express and most handlers can't take Node's HTTP/2 compatibility objects. */
export const HTTP1_PROTOCOLS = [
  'http/1.1',
  'istio-http/1.1',
  'istio-http/1.0',
  'http/1.0',
  'istio',
  'istio-peer-exchange',
];

/** The events that carry a request and its response. */
type RequestEvent = 'request' | 'checkContinue' | 'checkExpectation';

type Listener = (this: Server, request: IncomingMessage, response: ServerResponse) => unknown;

export class MeshHttpServer extends Server {
  readonly acceptor: ConnectionAcceptor;
  readonly #pipeline: InboundPipeline;
  readonly #connections = new WeakMap<Socket, InboundConnection>();
  readonly #known = new Map<RequestEvent, readonly Listener[]>();

  constructor(
    listener: RequestListener | undefined,
    pipeline: InboundPipeline,
    options: Omit<AcceptorOptions, 'deliver' | 'spokenProtocols'>,
  ) {
    super(serverOptions(options.settings));
    // 'newListener' comes before the listener is in: the list is read again at the next request.
    this.on('newListener', () => this.#known.clear());
    this.on('removeListener', () => this.#known.clear());
    if (listener !== undefined) this.on('request', listener);
    this.#pipeline = pipeline;
    this.acceptor = new ConnectionAcceptor({
      ...options,
      spokenProtocols: HTTP1_PROTOCOLS,
      deliver: (connection) => {
        this.#connections.set(connection.socket, connection);
        super.emit('connection', connection.socket);
      },
    });
  }

  // `emit` is where connections and requests come in: no listener, added early or late, can run before policy has.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the signature of EventEmitter
  override emit(event: string | symbol, ...args: any[]): boolean {
    switch (event) {
      case 'connection':
        this.acceptor.accept(args[0] as Socket);
        return true;
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        return this.#handle(event, args[0] as IncomingMessage, args[1] as ServerResponse);
      case 'upgrade':
        return this.#upgrade(args[0] as IncomingMessage, args[1] as Socket, args[2] as Buffer);
      case 'connect':
        // CONNECT asks for a tunnel, which an application server is not.
        (args[0] as IncomingMessage).socket.destroy();
        return true;
      default:
        return super.emit(event as string, ...(args as unknown[]));
    }
  }

  #handle(event: RequestEvent, request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) {
      request.socket.destroy();
      return true;
    }
    this.#pipeline.handle(request, response, connection, () => this.#callListeners(event, request, response));
    return true;
  }

  /** Like emit, but a listener's promise is passed on, so that its rejection ends the request and not the process. */
  #callListeners(event: RequestEvent, request: IncomingMessage, response: ServerResponse): unknown {
    const listeners = this.#listenersOf(event);
    if (listeners.length === 1) return listeners[0]?.call(this, request, response);
    const pending = listeners.map((listener) => listener.call(this, request, response)).filter(isPromise);
    return pending.length === 0 ? undefined : Promise.all(pending);
  }

  /** Node copies the list at every look; here it is copied after changes. */
  #listenersOf(event: RequestEvent): readonly Listener[] {
    let listeners = this.#known.get(event);
    if (listeners === undefined) this.#known.set(event, (listeners = this.rawListeners(event) as Listener[]));
    return listeners;
  }

  /** Policy first: a refusal is answered in HTTP, and what passes is handed to the application's own upgrade listener. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return true;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.destroySoon());
    // The record of an upgraded connection ends with its socket.
    socket.once('close', () => response.emit('close'));
    this.#pipeline.handle(request, response, connection, () => {
      response.detachSocket(socket);
      response.statusCode = 101;
      super.emit('upgrade', request, socket, head);
    });
    return true;
  }
}

function serverOptions(settings: InboundSettings): ServerOptions {
  return {
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    // Node looks for slow senders at this interval only; its 30 s would make every shorter limit meaningless.
    connectionsCheckingInterval: Math.max(10, Math.min(5_000, Math.floor(settings.headersTimeoutMs / 4))),
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    maxHeaderSize: settings.maxHeaderBytes,
    insecureHTTPParser: false,
  };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}
