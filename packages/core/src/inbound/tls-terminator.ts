// Ends TLS on accepted sockets: one non-listening TLS server per TLS context of the configuration, renewed in place when certificates rotate.
import { type Server, type TLSSocket, createServer } from 'node:tls';
import type { Socket } from 'node:net';
import type { DownstreamSecurity } from '../identity/connection-security.js';
import type { PeerIdentity } from '../identity/identity-provider.js';
import type { DownstreamTls } from '../snapshot/inbound-snapshot.js';

export type TlsOutcome =
  | { readonly ok: true; readonly socket: TLSSocket; readonly peer: PeerIdentity | undefined }
  | { readonly ok: false; readonly reason: string };

interface Context {
  readonly tls: DownstreamTls;
  readonly server: Server;
}

export class TlsTerminator {
  readonly #contexts = new Map<string, Context>();
  /** Handshakes under way by the socket's address pair, which is unique while the connection lives. */
  readonly #pending = new Map<string, (outcome: TlsOutcome) => void>();
  readonly #unsubscribe: () => void;

  constructor(
    private readonly security: DownstreamSecurity,
    /** ALPN names that the application side speaks, best first. */
    private readonly spokenProtocols: readonly string[],
    private readonly handshakeTimeoutMs: number,
  ) {
    this.#unsubscribe = security.onChange(() => this.#renew());
  }

  /** Runs the handshake and verifies the peer. Calls back exactly once; on failure the socket is destroyed. */
  terminate(socket: Socket, tls: DownstreamTls, done: (outcome: TlsOutcome) => void): void {
    let settled = false;
    const key = pairOf(socket);
    const settle = (outcome: TlsOutcome): void => {
      if (settled) return;
      settled = true;
      this.#pending.delete(key);
      if (!outcome.ok) socket.destroy();
      done(outcome);
    };
    let context: Context;
    try {
      context = this.#contextFor(tls);
    } catch (error) {
      settle({ ok: false, reason: error instanceof Error ? error.message : 'no TLS context' });
      return;
    }
    this.#pending.set(key, settle);
    socket.once('close', () => settle({ ok: false, reason: 'closed during the handshake' }));
    context.server.emit('connection', socket);
  }

  close(): void {
    this.#unsubscribe();
    this.#contexts.clear();
  }

  #contextFor(tls: DownstreamTls): Context {
    const known = this.#contexts.get(tls.key);
    if (known !== undefined) return known;
    const server = createServer({
      ...this.security.serverOptions(tls),
      // The peer is verified by `verifyClient` after every handshake, resumed or not; Node's own check stands in front of it.
      requestCert: true,
      rejectUnauthorized: tls.requireClientCertificate,
      handshakeTimeout: this.handshakeTimeoutMs,
      ALPNCallback: ({ protocols }) => this.spokenProtocols.find((name) => protocols.includes(name)),
    });
    server.on('secureConnection', (socket) => this.#onSecure(socket, tls));
    server.on('tlsClientError', (error, socket) => {
      this.#pending.get(pairOf(socket))?.({ ok: false, reason: error.message });
      socket.destroy();
    });
    const context = { tls, server };
    this.#contexts.set(tls.key, context);
    return context;
  }

  #onSecure(socket: TLSSocket, tls: DownstreamTls): void {
    socket.on('error', () => socket.destroy());
    const settle = this.#pending.get(pairOf(socket));
    if (settle === undefined) {
      socket.destroy();
      return;
    }
    settle(this.#verify(socket, tls));
  }

  #verify(socket: TLSSocket, tls: DownstreamTls): TlsOutcome {
    try {
      const verdict = this.security.verifyClient(socket, tls);
      if (verdict.ok) return { ok: true, socket, peer: verdict.peer };
      // Where no certificate is asked for, a caller without one is anonymous; one with a bad certificate is refused all the same.
      if (!tls.requireClientCertificate && socket.getPeerX509Certificate() === undefined)
        return { ok: true, socket, peer: undefined };
      return { ok: false, reason: verdict.reason };
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : 'verification failed' };
    }
  }

  /** New handshakes use the new certificate and bundles; a context that can't be renewed is dropped, so that the next handshake fails closed. */
  #renew(): void {
    for (const [key, { tls, server }] of this.#contexts) {
      try {
        server.setSecureContext(this.security.serverOptions(tls));
      } catch {
        this.#contexts.delete(key);
      }
    }
  }
}

function pairOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''} ${String(socket.remotePort)} ${socket.localAddress ?? ''} ${String(socket.localPort)}`;
}
