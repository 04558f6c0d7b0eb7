// Serves a grpc-js server through the mesh: the mesh's own listener admits and verifies connections and hands them over; an interceptor runs
// the policies of each call.
import { ServerCredentials, ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { Server, ServerInterceptor } from '@grpc/grpc-js';
import { createServer } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { MeshError } from '@heddle/core/driver';
import type { ConnectionAcceptor, InboundConnection, MeshInternals } from '@heddle/core/driver';
import type { MeshHandle } from '../client/mesh-channel.js';
import { InboundCall } from './inbound-call.js';

/** ALPN names under which HTTP/2 is spoken, best first. */
const HTTP2_PROTOCOLS = ['h2', 'istio-h2', 'istio', 'istio-peer-exchange'];

export interface GrpcListener {
  readonly address: string;
  readonly port: number;
  /** Stops accepting, lets calls in flight end for at most `drainMs`, then cuts them off. */
  close(drainMs: number): Promise<void>;
}

/**
 * Listens on `port` (0: a free one) for `server`, whose services may be added before or after. The server must not be bound by itself as well: calls on
 * such connections are refused. Rejects when the port can't be had, and with MeshError CONFIG_INVALID for a server that takes no interceptor.
 */
export async function bindGrpc(mesh: MeshHandle, server: Server, port: number, host?: string): Promise<GrpcListener> {
  const { internals } = mesh;
  const connections = admittedConnections(server, internals);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const acceptor = internals.inbound.createAcceptor(HTTP2_PROTOCOLS, (connection) => {
    const key = pairOf(connection.socket);
    connections.set(key, connection);
    connection.socket.once('close', () => connections.delete(key));
    injector.injectConnection(connection.socket);
  });
  const listener = createServer({ noDelay: true }, (socket) => acceptor.accept(socket));
  await listening(listener, port, host);
  const { address, port: bound } = listener.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const end = (drainMs: number) => (closing ??= drain(internals, listener, acceptor, injector, drainMs));
  const forget = internals.onClose(end);
  const close = (drainMs: number) => {
    forget();
    return end(drainMs);
  };
  return { address, port: bound, close };
}

async function listening(listener: NetServer, port: number, host: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  // An accept that fails (EMFILE) must not end the process.
  listener.on('error', () => undefined);
}

function drain(
  internals: MeshInternals,
  listener: NetServer,
  acceptor: ConnectionAcceptor,
  injector: ReturnType<Server['createConnectionInjector']>,
  drainMs: number,
): Promise<void> {
  acceptor.closeOpening();
  // GOAWAY: streams in flight end, none begin.
  injector.drain(drainMs);
  return new Promise((resolve) => {
    const timer = internals.clock.after(drainMs, () => acceptor.destroyAll());
    listener.close(() => {
      timer.cancel();
      acceptor.close();
      injector.destroy();
      resolve();
    });
  });
}

/** Runs the mesh's policies for each call on the connections that it admitted; calls on any other connection are refused. */
function policyInterceptor(
  internals: MeshInternals,
  connections: ReadonlyMap<string, InboundConnection>,
): ServerInterceptor {
  return (method, call) => {
    const connection = connections.get(pairOf(call.getConnectionInfo()));
    if (connection === undefined) {
      const refusal = { code: status.PERMISSION_DENIED, details: 'the connection was not admitted by the mesh' };
      return new ServerInterceptingCall(call, {
        start: (next) => next({ onReceiveMetadata: () => call.sendStatus(refusal) }),
      });
    }
    return new ServerInterceptingCall(call, new InboundCall(internals, connection, method.path, call).responder());
  };
}

/** Shared by all copies of the package in a process. */
const brand = Symbol.for('heddle.grpc.connections');

/**
 * The connections that the mesh admitted for a server, over all ports that it is bound to. Adds the interceptor on first use: grpc-js takes
 * interceptors at construction only, but looks at the list anew for every call.
 */
function admittedConnections(server: Server, internals: MeshInternals): Map<string, InboundConnection> {
  const slots = server as unknown as { interceptors?: unknown; [brand]?: Map<string, InboundConnection> };
  const known = slots[brand];
  if (known !== undefined) return known;
  if (!Array.isArray(slots.interceptors))
    throw new MeshError(
      'CONFIG_INVALID',
      'this version of @grpc/grpc-js does not let the mesh add its policies to a server',
    );
  const connections = new Map<string, InboundConnection>();
  // First of all, so that nothing of the application runs before policy has.
  (slots.interceptors as ServerInterceptor[]).unshift(policyInterceptor(internals, connections));
  slots[brand] = connections;
  return connections;
}

type Ends = {
  readonly [End in 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort']?: Socket[End] | undefined;
};

/** Unique while the connection lives. */
function pairOf({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress ?? ''} ${String(remotePort)} ${localAddress ?? ''} ${String(localPort)}`;
}
