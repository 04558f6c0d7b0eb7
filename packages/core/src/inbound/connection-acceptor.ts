// From an accepted socket to a connection that may carry requests: first byte, ClientHello, filter chain, handshake, peer, network filters.
import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import type { DownstreamSecurity } from '../identity/connection-security.js';
import type { ConnectionFacts, DownstreamTls, FilterChainSnapshot } from '../snapshot/inbound-snapshot.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { TLS_HANDSHAKE_RECORD, readClientHello } from './client-hello.js';
import { InboundConnection, factsOf, networkRefusal } from './inbound-connection.js';
import { admission } from './admission.js';
import type { InboundEventSink } from './inbound-event.js';
import type { InboundSettings } from './inbound-settings.js';
import { TlsTerminator } from './tls-terminator.js';

export interface AcceptorOptions {
  readonly snapshot: () => Snapshot;
  readonly security: DownstreamSecurity;
  readonly clock: Clock;
  readonly settings: InboundSettings;
  readonly onEvent: InboundEventSink;
  /** ALPN names that may be negotiated, best first. */
  readonly spokenProtocols: readonly string[];
  /** Takes over a connection that is let in. Its socket is paused with all its bytes in place. */
  readonly deliver: (connection: InboundConnection) => void;
}

const HTTP2_PREFACE = 'PRI * HTTP/2';

export class ConnectionAcceptor {
  readonly #options: AcceptorOptions;
  readonly #terminator: TlsTerminator;
  /** Sockets before delivery. */
  readonly #opening = new Set<Socket>();
  /** Connections after delivery, until their sockets close. */
  readonly #open = new Set<InboundConnection>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
    const { security, spokenProtocols, settings } = options;
    this.#terminator = new TlsTerminator(security, spokenProtocols, settings.handshakeTimeoutMs);
  }

  get connections(): ReadonlySet<InboundConnection> {
    return this.#open;
  }

  /** Takes a fresh socket. It is delivered or destroyed within the handshake timeout. */
  accept(socket: Socket): void {
    this.#opening.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#opening.delete(socket));
    const timer = this.#options.clock.after(this.#options.settings.handshakeTimeoutMs, () => {
      this.#refuse(socket, 'no complete first message in time');
    });
    peek(socket, (first) => {
      timer.cancel();
      if (first.kind === 'gone') socket.destroy();
      else if (first.kind === 'malformed') this.#refuse(socket, first.reason);
      else this.#decide(socket, first);
    });
  }

  /** Sockets that have not spoken yet are closed at once. */
  closeOpening(): void {
    for (const socket of this.#opening) socket.destroy();
  }

  destroyAll(): void {
    this.closeOpening();
    for (const { socket } of this.#open) socket.destroy();
  }

  close(): void {
    this.#terminator.close();
  }

  /** After a change of policy: connections that it no longer allows serve what is in flight, for a bounded time, and close. */
  revalidate(): void {
    for (const connection of this.#open) {
      const reason = this.#revocation(connection);
      if (reason !== undefined) this.#revoke(connection, reason);
    }
  }

  #decide(socket: Socket, first: FirstMessage): void {
    const facts = factsOf(socket, first.kind, first.serverName, first.applicationProtocols);
    if (facts === undefined) {
      socket.destroy();
      return;
    }
    const admitted = admission(this.#options.snapshot(), facts, this.#options.settings.awaitsFeed);
    switch (admitted.kind) {
      case 'refuse':
        this.#refuse(socket, admitted.reason);
        break;
      case 'open':
        this.#deliver(socket, new InboundConnection(facts, socket, undefined));
        break;
      case 'chain':
        if (admitted.chain.tls === undefined) this.#admit(socket, admitted.chain, facts);
        else this.#handshake(socket, admitted.chain, admitted.chain.tls, facts);
    }
  }

  #handshake(socket: Socket, chain: FilterChainSnapshot, tls: DownstreamTls, facts: ConnectionFacts): void {
    this.#terminator.terminate(socket, tls, (outcome) => {
      const { generation } = this.#options.security;
      if (!outcome.ok) {
        this.#options.onEvent(event('handshake-failed', facts, outcome.reason));
        return;
      }
      const refusal = networkRefusal(chain, facts, outcome.peer);
      if (refusal !== undefined) {
        outcome.socket.destroy();
        this.#options.onEvent(event('connection-refused', facts, refusal));
      } else this.#deliver(socket, new InboundConnection(facts, outcome.socket, outcome.peer, tls, generation));
    });
  }

  #admit(socket: Socket, chain: FilterChainSnapshot, facts: ConnectionFacts): void {
    const refusal = networkRefusal(chain, facts, undefined);
    if (refusal !== undefined) this.#refuse(socket, refusal);
    else this.#deliver(socket, new InboundConnection(facts, socket, undefined));
  }

  #deliver(raw: Socket, connection: InboundConnection): void {
    this.#opening.delete(raw);
    this.#open.add(connection);
    connection.socket.once('close', () => this.#open.delete(connection));
    this.#options.deliver(connection);
  }

  /** Reset, as Envoy closes a connection that no filter chain takes. */
  #refuse(socket: Socket, reason: string): void {
    const facts = factsOf(socket, 'raw_buffer', '', []);
    socket.resetAndDestroy();
    if (facts !== undefined) this.#options.onEvent(event('connection-refused', facts, reason));
  }

  #revocation(connection: InboundConnection): string | undefined {
    const admitted = connection.admission(this.#options.snapshot(), this.#options.settings.awaitsFeed);
    if (admitted.kind === 'refuse') return admitted.reason;
    if (admitted.kind === 'open') return undefined;
    const { chain } = admitted;
    // The peer was verified under another context (other SANs, other roots): the client must prove itself again.
    if (chain.tls?.key !== connection.tls?.key) return 'the TLS policy of its filter chain changed';
    return networkRefusal(chain, connection.facts, connection.peer);
  }

  #revoke(connection: InboundConnection, reason: string): void {
    if (connection.revoked) return;
    connection.revoked = true;
    this.#options.onEvent(event('connection-revoked', connection.facts, reason));
    if (connection.requestsInFlight === 0) connection.socket.destroy();
    else this.#options.clock.after(this.#options.settings.revokeGraceMs, () => connection.socket.destroy());
  }
}

interface FirstMessage {
  readonly kind: ConnectionFacts['transport'];
  readonly serverName: string;
  readonly applicationProtocols: readonly string[];
}

type Peeked = FirstMessage | { readonly kind: 'gone' } | { readonly kind: 'malformed'; readonly reason: string };

/** Reads until it is known what the connection speaks, puts every byte back, and calls back once. */
function peek(socket: Socket, done: (first: Peeked) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const finish = (first: Peeked): void => {
    socket.removeListener('readable', onReadable);
    socket.removeListener('end', onEnd);
    socket.removeListener('close', onEnd);
    if (bytes.length > 0 && !socket.destroyed) socket.unshift(bytes);
    done(first);
  };
  const onEnd = (): void => finish({ kind: 'gone' });
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const first = firstMessage(bytes);
    if (first !== undefined) finish(first);
  };
  socket.on('readable', onReadable);
  socket.once('end', onEnd);
  socket.once('close', onEnd);
}

/** Undefined: more bytes are needed. */
function firstMessage(bytes: Buffer): Peeked | undefined {
  if (bytes[0] !== TLS_HANDSHAKE_RECORD) {
    const protocol = bytes.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE ? 'h2c' : 'http/1.1';
    return { kind: 'raw_buffer', serverName: '', applicationProtocols: [protocol] };
  }
  const reading = readClientHello(bytes);
  switch (reading.kind) {
    case 'partial':
      return undefined;
    case 'malformed':
      return reading;
    case 'hello':
      return { kind: 'tls', ...reading.hello };
  }
}

function event<Kind extends 'connection-refused' | 'connection-revoked' | 'handshake-failed'>(
  kind: Kind,
  facts: ConnectionFacts,
  reason: string,
): { readonly kind: Kind; readonly port: number; readonly sourceIp: string; readonly reason: string } {
  return { kind, port: facts.destinationPort, sourceIp: facts.sourceIp, reason };
}
