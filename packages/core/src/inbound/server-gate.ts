// Where connections and requests come into an http.Server: its `emit`. Whatever listeners the application has, early or late, policy runs before them.
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionAcceptor, type AcceptorOptions } from './connection-acceptor.js';
import type { InboundPipeline } from './http/inbound-pipeline.js';
import type { InboundConnection } from './inbound-connection.js';

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
export type RequestEvent = 'request' | 'checkContinue' | 'checkExpectation';

export interface GateOptions extends Omit<AcceptorOptions, 'deliver' | 'spokenProtocols'> {
  readonly pipeline: InboundPipeline;
  /** The server's `emit` as it is without the gate. */
  readonly emit: (event: string | symbol, args: unknown[]) => boolean;
  /** Hands an admitted request to the application. What it returns or throws ends that request only. */
  readonly serve: (event: RequestEvent, request: IncomingMessage, response: ServerResponse) => unknown;
}

export class ServerGate {
  readonly acceptor: ConnectionAcceptor;
  readonly #options: GateOptions;
  readonly #connections = new WeakMap<Socket, InboundConnection>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.acceptor = new ConnectionAcceptor({
      ...options,
      spokenProtocols: HTTP1_PROTOCOLS,
      deliver: (connection) => {
        this.#connections.set(connection.socket, connection);
        options.emit('connection', [connection.socket]);
      },
    });
  }

  emit(event: string | symbol, args: unknown[]): boolean {
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
        return this.#options.emit(event, args);
    }
  }

  #handle(event: RequestEvent, request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) {
      request.socket.destroy();
      return true;
    }
    const { pipeline, serve } = this.#options;
    pipeline.handle(request, response, connection, () => serve(event, request, response));
    return true;
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
    this.#options.pipeline.handle(request, response, connection, () => {
      response.detachSocket(socket);
      response.statusCode = 101;
      this.#options.emit('upgrade', [request, socket, head]);
    });
    return true;
  }
}
