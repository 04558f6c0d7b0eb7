// The servers of an application that doesn't know the mesh, met where all of them pass: Server.prototype.listen.
import { Server } from 'node:http';
import { Server as TlsHttpServer } from 'node:https';
import type { Server as NetServer } from 'node:net';

export interface ServerAdoption {
  /** Told once a server listens on a TCP port, before its first connection. */
  readonly adopt: (server: Server) => void;
  /** Told of servers that end TLS themselves: their connections can't be judged. */
  readonly leftAlone: (port: number) => void;
}

/** From now on, every http.Server of the process that begins to listen is adopted. Servers on Unix sockets are local talk and stay as they are. */
export function adoptServers({ adopt, leftAlone }: ServerAdoption): void {
  onListen(Server.prototype, adopt);
  onListen(TlsHttpServer.prototype, (_server, port) => leftAlone(port));
}

function onListen<Kind extends NetServer>(prototype: Kind, onPort: (server: Kind, port: number) => void): void {
  const before = Reflect.get(prototype, 'listen') as unknown as (this: Kind, ...args: unknown[]) => Kind;
  const listen = function (this: Kind, ...args: unknown[]): Kind {
    // Emitted before the event loop accepts anything from the port.
    this.prependOnceListener('listening', () => {
      const address = this.address();
      if (typeof address === 'object' && address !== null) onPort(this, address.port);
    });
    return Reflect.apply(before, this, args);
  };
  Object.defineProperty(prototype, 'listen', { value: listen, writable: true, configurable: true });
}
