// HTTP/2 sessions of gRPC calls: one per endpoint and TLS policy, the peer verified when its connection is made, renewed when certificates rotate.
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { createConnector } from '@heddle/core/driver';
import type { Clock, ClusterSnapshot, ConnectTarget, EndpointState, UpstreamSecurity } from '@heddle/core/driver';

/** Streams of a session that is going away get this long (Node keeps sessions after GOAWAY open for ever: CVE-2026-21714). */
const RETIRED_SESSION_MS = 600_000;
/** How often sessions of endpoints that the configuration no longer has are looked for. */
const SWEEP_MS = 10_000;

export interface OpenSession {
  readonly session: ClientHttp2Session;
  /** SPIFFE id of the server; empty in plain text. */
  readonly peerPrincipal: string;
}

interface Entry {
  readonly key: string;
  readonly opening: Promise<OpenSession>;
  /** Set once it is open. */
  open: OpenSession | undefined;
  retired: boolean;
}

export class EndpointSessions {
  readonly #security: UpstreamSecurity;
  readonly #clock: Clock;
  readonly #entries = new Map<EndpointState, Entry>();
  readonly #retiring = new Set<ClientHttp2Session>();
  #sweeping = false;
  #closed = false;

  constructor(security: UpstreamSecurity, clock: Clock) {
    this.#security = security;
    this.#clock = clock;
  }

  /** A session for the next stream. Rejects with MeshError (identity) or the socket's error; rejects once the sessions were closed. */
  sessionFor(cluster: ClusterSnapshot, state: EndpointState): OpenSession | Promise<OpenSession> {
    const tls = cluster.tlsFor(state.endpoint);
    const key = tls === undefined ? 'plain' : `${this.#security.generation} ${tls.key}`;
    const known = this.#entries.get(state);
    if (known?.key === key && !known.retired) return known.open ?? known.opening;
    if (this.#closed) return Promise.reject(new Error('the mesh is closing'));
    if (known !== undefined) this.#retire(state, known);
    const { endpoint } = state;
    const target: ConnectTarget = {
      host: endpoint.host,
      port: endpoint.port,
      http2: true,
      connectTimeoutMs: cluster.connectTimeoutMs,
      security: tls === undefined ? { kind: 'plain' } : { kind: 'mesh', tls },
    };
    return this.#open(state, key, target, cluster.idleTimeoutMs);
  }

  /** Lets streams end, for at most `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.#closed = true;
    for (const [state, entry] of this.#entries) this.#retire(state, entry);
    const open = [...this.#retiring];
    if (open.length === 0) return;
    const timer = this.#clock.after(drainMs, () => open.forEach((session) => session.destroy()));
    await Promise.all(open.map((session) => closed(session)));
    timer.cancel();
  }

  #open(state: EndpointState, key: string, target: ConnectTarget, idleTimeoutMs: number): Promise<OpenSession> {
    const opening = dial(target, this.#security, this.#clock);
    const entry: Entry = { key, opening, open: undefined, retired: false };
    this.#entries.set(state, entry);
    opening.then(
      (open) => this.#adopt(state, entry, open, idleTimeoutMs),
      () => this.#forget(state, entry),
    );
    this.#sweepLater();
    return opening;
  }

  #adopt(state: EndpointState, entry: Entry, open: OpenSession, idleTimeoutMs: number): void {
    entry.open = open;
    const { session } = open;
    session.once('close', () => this.#forget(state, entry));
    session.once('goaway', () => this.#retire(state, entry));
    if (idleTimeoutMs > 0) session.setTimeout(idleTimeoutMs, () => this.#retire(state, entry));
    if (entry.retired || this.#closed) this.#end(session);
  }

  #forget(state: EndpointState, entry: Entry): void {
    entry.retired = true;
    if (this.#entries.get(state) === entry) this.#entries.delete(state);
  }

  /** No new streams; those in flight end. */
  #retire(state: EndpointState, entry: Entry): void {
    this.#forget(state, entry);
    if (entry.open !== undefined) this.#end(entry.open.session);
  }

  #end(session: ClientHttp2Session): void {
    if (session.destroyed || this.#retiring.has(session)) return;
    this.#retiring.add(session);
    const timer = this.#clock.after(RETIRED_SESSION_MS, () => session.destroy());
    session.once('close', () => {
      timer.cancel();
      this.#retiring.delete(session);
    });
    session.close();
  }

  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#clock.after(SWEEP_MS, () => {
      this.#sweeping = false;
      for (const [state, entry] of this.#entries) if (state.removed) this.#retire(state, entry);
      if (this.#entries.size > 0) this.#sweepLater();
    });
  }
}

function closed(session: ClientHttp2Session): Promise<void> {
  return session.destroyed ? Promise.resolve() : new Promise((resolve) => session.once('close', () => resolve()));
}

function dial(target: ConnectTarget, security: UpstreamSecurity, clock: Clock): Promise<OpenSession> {
  return new Promise((resolve, reject) => {
    let peerPrincipal = '';
    const connector = createConnector(target, security, clock, (principal) => (peerPrincipal = principal));
    connector({ hostname: target.host, protocol: 'https:', port: String(target.port) }, (error, socket) => {
      if (error === null) resolve({ session: sessionOn(socket), peerPrincipal });
      else reject(error);
    });
  });
}

function sessionOn(socket: Socket): ClientHttp2Session {
  const session = connect('http://mesh', {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: 1024 * 1024 },
    maxSessionMemory: 64,
  });
  // Errors reach the streams, which fail their calls; without a listener they would end the process.
  session.on('error', () => session.destroy());
  session.on('stream', (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
  return session;
}
