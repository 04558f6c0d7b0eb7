// Opens one connection to an endpoint: TCP, then TLS as the policy says, with the peer verified after every handshake.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Clock } from '../clock.js';
import { MeshError } from '../errors.js';
import type { UpstreamSecurity } from '../identity/connection-security.js';
import type { UpstreamTls } from '../snapshot/cluster-snapshot.js';
import { alpnFor, speaksHttp2 } from './alpn.js';
import type { Connector } from './undici.js';

export interface ConnectTarget {
  readonly host: string;
  readonly port: number;
  readonly http2: boolean;
  readonly connectTimeoutMs: number;
  readonly security:
    | { readonly kind: 'plain' }
    /** As the cluster's transport socket says. */
    | { readonly kind: 'mesh'; readonly tls: UpstreamTls }
    /** The application's own https:// to a host outside: Node's roots and host name check. */
    | { readonly kind: 'external'; readonly serverName: string };
}

type Done = (error: Error | null, socket: Socket | null) => void;

/** `onPeer` is told the SPIFFE id that a connection's certificate proved, `onSocket` each socket as soon as it is being connected. */
export function createConnector(
  target: ConnectTarget,
  security: UpstreamSecurity,
  clock: Clock,
  onPeer: (principal: string) => void,
  onSocket?: (socket: Socket) => void,
): Connector {
  return (_options, callback) => {
    let called = false;
    const once: Done = (error, socket) => {
      if (called) return;
      called = true;
      (callback as Done)(error, socket);
    };
    try {
      // Dialled first: an optional call does not evaluate its arguments where nobody is told.
      const socket = dial(target, security, clock, onPeer, once);
      onSocket?.(socket);
    } catch (error) {
      // connectOptions refuses without a certificate: the call fails, nothing is sent in the clear.
      process.nextTick(once, error instanceof Error ? error : new Error(String(error)), null);
    }
  };
}

function dial(
  target: ConnectTarget,
  security: UpstreamSecurity,
  clock: Clock,
  onPeer: (principal: string) => void,
  done: Done,
): Socket {
  const secure = target.security.kind !== 'plain';
  const socket = secure ? connectTls(tlsOptions(target, security)) : connectTcp(tcpOptions(target));
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 60_000);
  const timer = clock.after(target.connectTimeoutMs, () => {
    socket.destroy(connectTimeout(target));
  });
  socket.once('error', (error: Error) => {
    timer.cancel();
    done(error, null);
  });
  socket.once('close', () => {
    timer.cancel();
    done(new Error(`the connection to ${target.host}:${target.port} closed while it was being made`), null);
  });
  socket.once(secure ? 'secureConnect' : 'connect', () => {
    timer.cancel();
    const refusal = secure ? checkPeer(socket as TLSSocket, target, security, onPeer) : undefined;
    if (refusal !== undefined) {
      socket.destroy();
      return done(refusal, null);
    }
    markProtocol(socket, target);
    done(null, socket);
  });
  return socket;
}

const tcpOptions = (target: ConnectTarget) => ({
  host: target.host,
  port: target.port,
  highWaterMark: 64 * 1024,
  autoSelectFamily: true,
});

function tlsOptions(target: ConnectTarget, security: UpstreamSecurity): ConnectionOptions {
  const base: ConnectionOptions = {
    host: target.host,
    port: target.port,
    rejectUnauthorized: true,
    ...({ autoSelectFamily: true } as object),
  };
  switch (target.security.kind) {
    case 'plain':
      return base;
    case 'mesh': {
      const { tls } = target.security;
      // No session is ever offered: each handshake proves the peer's identity anew (CVE-2026-48934).
      return { ...base, ...security.connectOptions(tls), ALPNProtocols: alpnFor(tls.alpnProtocols, target.http2) };
    }
    case 'external': {
      const { serverName } = target.security;
      const named = isIP(serverName) === 0 ? { servername: serverName } : {};
      return { ...base, ...named, ALPNProtocols: ['http/1.1'] };
    }
  }
}

function checkPeer(
  socket: TLSSocket,
  target: ConnectTarget,
  security: UpstreamSecurity,
  onPeer: (principal: string) => void,
): Error | undefined {
  if (target.security.kind !== 'mesh') return undefined;
  const verdict = security.verifyServer(socket, target.security.tls);
  if (!verdict.ok)
    return new MeshError('IDENTITY_REJECTED', `${target.host}:${target.port} was refused: ${verdict.reason}`);
  onPeer(verdict.peer.spiffeId);
  return undefined;
}

/** undici speaks HTTP/2 exactly when the socket's ALPN name is `h2`; Istio has names of its own for it, and plain text has none. */
function markProtocol(socket: Socket, target: ConnectTarget): void {
  const negotiated = (socket as Partial<TLSSocket>).alpnProtocol;
  const http2 = target.security.kind === 'plain' ? target.http2 : speaksHttp2(negotiated, target.http2);
  Object.defineProperty(socket, 'alpnProtocol', { value: http2 ? 'h2' : negotiated, configurable: true });
}

function connectTimeout(target: ConnectTarget): Error {
  const error = new Error(`no connection to ${target.host}:${target.port} within ${target.connectTimeoutMs} ms`);
  return Object.assign(error, { code: 'ETIMEDOUT' });
}
