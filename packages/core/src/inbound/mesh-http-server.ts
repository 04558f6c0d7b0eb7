// An http.Server whose connections and requests all pass the mesh's policies first, whatever listeners the application adds to it.
import { type IncomingMessage, type RequestListener, Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { ConnectionAcceptor } from './connection-acceptor.js';
import type { InboundSettings } from './inbound-settings.js';
import { type GateOptions, type RequestEvent, ServerGate } from './server-gate.js';

export class MeshHttpServer extends Server {
  readonly #gate: ServerGate;

  constructor(listener: RequestListener | undefined, options: Omit<GateOptions, 'emit' | 'serve'>) {
    super(serverOptions(options.settings));
    if (listener !== undefined) this.on('request', listener);
    this.#gate = new ServerGate({
      ...options,
      emit: (event, args) => super.emit(event as string, ...args),
      serve: (event, request, response) => this.#callListeners(event, request, response),
    });
  }

  get acceptor(): ConnectionAcceptor {
    return this.#gate.acceptor;
  }

  // `emit` is where connections and requests come in: no listener, added early or late, can run before policy has.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the signature of EventEmitter
  override emit(event: string | symbol, ...args: any[]): boolean {
    return this.#gate.emit(event, args);
  }

  /** Like emit, but a listener's promise is passed on, so that its rejection ends the request and not the process. */
  #callListeners(event: RequestEvent, request: IncomingMessage, response: ServerResponse): unknown {
    const listeners = this.listeners(event) as ((...args: unknown[]) => unknown)[];
    if (listeners.length === 1) return listeners[0]?.call(this, request, response);
    const pending = listeners.map((listener) => listener.call(this, request, response)).filter(isPromise);
    return pending.length === 0 ? undefined : Promise.all(pending);
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
