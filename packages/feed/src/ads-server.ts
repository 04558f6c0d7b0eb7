// The feed server: a source of configuration, served to any number of workloads over ADS, with their state over CSDS.
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Finding, MeshSettings } from '@heddle/config';
import { adsDefinition, adsImplementation } from './ads-service.js';
import { ClientSession } from './client-session.js';
import { type ClientStatus, clientStatus } from './client-status.js';
import { ConfigInForce, type RefusedEdition } from './config-in-force.js';
import type { ConfigSource } from './config-source.js';
import { csdsDefinition, csdsImplementation } from './csds-service.js';
import { logFindings } from './finding-log.js';
import { PushQueue } from './push-queue.js';

/** A logger of pino's shape. */
export interface FeedLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface FeedServerOptions {
  readonly source: ConfigSource;
  /** `127.0.0.1:0` (default) takes a free port. */
  readonly listen?: string | undefined;
  /** Further gRPC services on the same port, such as the dev CA's. */
  readonly services?:
    | readonly { readonly definition: ServiceDefinition; readonly implementation: UntypedServiceImplementation }[]
    | undefined;
  /** Default: plain text, for loopback. */
  readonly credentials?: ServerCredentials | undefined;
  /** What Istio keeps in MeshConfig. */
  readonly settings?: Partial<MeshSettings> | undefined;
  /** Node metadata for clients that send none (an Envoy with its own bootstrap): NAMESPACE, LABELS, … */
  readonly defaultMetadata?: Readonly<Record<string, unknown>> | undefined;
  /** A client that does not answer is pushed to all the same after this time. Default 10 s. */
  readonly answerTimeoutMs?: number | undefined;
  readonly log?: FeedLog | undefined;
  readonly clock?: FeedClock | undefined;
}

/** Time for the server; the shape of core's Clock. */
export interface FeedClock {
  nowMs(): number;
  wallMs(): number;
  after(delayMs: number, callback: () => void): { cancel(): void };
}

export interface FeedServerStatus {
  readonly address: string;
  readonly source: string;
  /** Version in force; empty until a first good edition. */
  readonly version: string;
  readonly findings: readonly Finding[];
  /** The newest edition when it was refused; the one before stays in force. */
  readonly refused: RefusedEdition | undefined;
  /** Translations made: one for each class of workloads and version. */
  readonly generated: number;
  readonly clients: readonly ClientStatus[];
}

export interface FeedServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly port: number;
  status(): FeedServerStatus;
  /** Ends all streams, the source and the port. */
  close(): Promise<void>;
}

const systemClock: FeedClock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
const silent: FeedLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Resolves when the port is open and the first edition was read; a bad first edition is logged and mended by a later one. */
export async function startFeedServer(options: FeedServerOptions): Promise<FeedServer> {
  const clock = options.clock ?? systemClock;
  const hub = new FeedHub(options, clock, options.log ?? silent);
  const server = new Server({
    'grpc.max_receive_message_length': 32 * 1024 * 1024,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  server.addService(adsDefinition, adsImplementation(hub));
  server.addService(
    csdsDefinition,
    csdsImplementation(() => hub.clients()),
  );
  for (const { definition, implementation } of options.services ?? []) server.addService(definition, implementation);
  const listen = options.listen ?? '127.0.0.1:0';
  hub.start();
  const port = await bind(server, listen, options.credentials ?? ServerCredentials.createInsecure()).catch(
    (error: unknown) => {
      hub.close();
      throw error;
    },
  );
  const address = `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`;
  return {
    address,
    port,
    status: () => ({ address, ...hub.status() }),
    close: () => {
      hub.close();
      // ADS streams never end by themselves, so there is nothing to wait for.
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

/** What all streams share: the configuration in force, the clients, and the queue of pushes. */
class FeedHub {
  readonly #options: FeedServerOptions;
  readonly #clock: FeedClock;
  readonly #log: FeedLog;
  readonly #config: ConfigInForce;
  readonly #sessions = new Set<ClientSession>();
  readonly #queue: PushQueue<ClientSession>;
  /** Clients that a newer generation waits for until they answer, each with the end of its patience. */
  readonly #behind = new Map<ClientSession, { cancel(): void }>();

  constructor(options: FeedServerOptions, clock: FeedClock, log: FeedLog) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#config = new ConfigInForce(options.settings ?? {}, () => clock.wallMs());
    this.#queue = new PushQueue({
      push: (session) => this.#push(session),
      nowMs: () => clock.nowMs(),
      nextTurn: (callback) => void setImmediate(callback),
    });
  }

  start(): void {
    this.#options.source.start((edition) => {
      const former = this.#config.version;
      this.#config.apply(edition);
      const { version, refused, findings } = this.#config;
      if (refused === undefined) {
        this.#log.info({ version, findings: findings.length }, 'configuration in force');
        // A reading that changed nothing has nothing new to say.
        if (version !== former) logFindings(this.#log, findings);
        for (const session of this.#sessions) this.#queue.add(session);
      } else {
        const first = refused.findings.find(({ level }) => level === 'error');
        this.#log.error({ version }, `edit refused, ${version || 'nothing'} stays in force: ${first?.message ?? ''}`);
        logFindings(this.#log, refused.findings);
      }
    });
  }

  open(variant: 'delta' | 'sotw', peer: string, write: (response: Buffer) => boolean): ClientSession {
    const session: ClientSession = new ClientSession({
      variant,
      peer,
      write,
      wallMs: () => this.#clock.wallMs(),
      generationFor: (node) => {
        const { defaultMetadata } = this.#options;
        const metadata = defaultMetadata === undefined ? node.metadata : { ...defaultMetadata, ...node.metadata };
        return this.#config.generationFor({ ...node, metadata });
      },
      onNack: (typeUrl, message) => this.#log.warn({ node: session.node?.id, typeUrl }, `client refused: ${message}`),
    });
    this.#sessions.add(session);
    return session;
  }

  moved(session: ClientSession): void {
    if (session.settled && this.#behind.has(session)) this.#queue.add(session);
  }

  gone(session: ClientSession): void {
    this.#sessions.delete(session);
    this.#queue.delete(session);
    this.#noLongerBehind(session);
  }

  clients(): readonly ClientStatus[] {
    return [...this.#sessions].flatMap((session) => clientStatus(session) ?? []);
  }

  status(): Omit<FeedServerStatus, 'address'> {
    const { version, findings, refused, generated } = this.#config;
    return { source: this.#options.source.name, version, findings, refused, generated, clients: this.clients() };
  }

  close(): void {
    this.#options.source.close();
    for (const session of [...this.#sessions]) this.gone(session);
  }

  /** One push at a time for each client: the next waits for the answers to the former, which keeps the order across types. */
  #push(session: ClientSession): void {
    if (session.settled) {
      this.#noLongerBehind(session);
      this.#pushNow(session);
    } else if (!this.#behind.has(session)) {
      this.#behind.set(session, this.#patience(session));
    }
  }

  #patience(session: ClientSession): { cancel(): void } {
    return this.#clock.after(this.#options.answerTimeoutMs ?? 10_000, () => {
      // One that does not read is not written to, however long it takes; its connection dies of unanswered pings.
      if (!session.writable) return void this.#behind.set(session, this.#patience(session));
      this.#behind.delete(session);
      this.#pushNow(session);
    });
  }

  #noLongerBehind(session: ClientSession): void {
    this.#behind.get(session)?.cancel();
    this.#behind.delete(session);
  }

  #pushNow(session: ClientSession): void {
    try {
      session.push();
    } catch (error) {
      this.#log.error({ node: session.node?.id, error: String(error) }, 'push failed, the client keeps what it has');
    }
  }
}
