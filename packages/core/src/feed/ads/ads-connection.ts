// Keeps one ADS stream open: connects, hands responses over one at a time, comes back after a loss with what is in force.
import {
  type Client,
  type ClientDuplexStream,
  type Metadata,
  type StatusObject,
  status as grpcStatus,
} from '@grpc/grpc-js';
import type { ConfigOrigin, FeedConnection, FeedNode, FeedSink, Node, ResourceTypeUrl, WantedNames } from '@heddle/xds';
import type { Clock, Timer } from '../../clock.js';
import type { Draws } from '../../draws.js';
import { AcceptedVersions } from './accepted-versions.js';
import { type ChannelOptions, callDelta, callMetadata, callSotw, openChannel, wireNode } from './ads-channel.js';
import type { AdsStream } from './ads-stream.js';
import { DeltaStream } from './delta-stream.js';
import { reconnectDelayMs } from './reconnect-delay.js';
import { SotwStream } from './sotw-stream.js';
import { WantedResources } from './wanted-resources.js';

export interface AdsSettings extends ChannelOptions {
  readonly mode: 'auto' | 'delta' | 'sotw';
  readonly tokenFile: string | undefined;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly silenceMs: number;
  readonly missingAfterMs: number;
}

/** What a phase of the connection's life owns, and must end when it is left. */
type Phase =
  | { readonly at: 'preparing' }
  | { readonly at: 'open'; readonly stream: OpenStream; readonly watchdog: Timer }
  | { readonly at: 'waiting'; readonly timer: Timer }
  | { readonly at: 'closed' };

/** A call and the protocol on it, without their message types. */
interface OpenStream {
  readonly protocol: Pick<AdsStream<never>, 'wantChanged' | 'stop'>;
  pause(): void;
  resume(): void;
  cancel(): void;
}

export class AdsConnection implements FeedConnection {
  readonly #settings: AdsSettings;
  readonly #sink: FeedSink;
  readonly #node: Node;
  readonly #wanted = new WantedResources();
  readonly #accepted = new AcceptedVersions();
  #variant: 'delta' | 'sotw';
  #phase: Phase = { at: 'preparing' };
  /** Kept over the end of a working stream, since the channel remembers how often this server lets itself be pinged. */
  #client: Client | undefined;
  /** Attempts since the last stream that delivered something. */
  #failures = 0;
  /** True once the current channel has carried a response. */
  #working = false;
  /** The response that the sink still decides on; the next one waits for it. */
  #deciding: Promise<void> | undefined;

  constructor(settings: AdsSettings, node: FeedNode, sink: FeedSink) {
    this.#settings = settings;
    this.#sink = sink;
    this.#node = wireNode(node);
    this.#variant = settings.mode === 'sotw' ? 'sotw' : 'delta';
    void this.#connect();
  }

  subscribe(typeUrl: ResourceTypeUrl, names: WantedNames): void {
    if (!this.#wanted.replace(typeUrl, names) || this.#phase.at !== 'open') return;
    this.#phase.stream.protocol.wantChanged(typeUrl);
  }

  /** xDS carries no origins. */
  originOf(): ConfigOrigin | undefined {
    return undefined;
  }

  close(): void {
    this.#leavePhase({ at: 'closed' });
    this.#dropClient();
  }

  async #connect(): Promise<void> {
    this.#leavePhase({ at: 'preparing' });
    this.#sink.onState({ phase: 'connecting', attempt: this.#failures + 1 });
    try {
      const metadata = await callMetadata(this.#settings.address, this.#settings.tokenFile);
      const client = this.#client ?? (await openChannel(this.#settings));
      if (this.#phase.at === 'closed') return client.close();
      this.#client = client;
      this.#open(client, metadata);
    } catch (error) {
      if (this.#stillPreparing()) this.#retry(error instanceof Error ? error.message : String(error));
    }
  }

  /** Read through a method: `close` may have been called during an await. */
  #stillPreparing(): boolean {
    return this.#phase.at === 'preparing';
  }

  #open(client: Client, metadata: Metadata): void {
    const { clock, missingAfterMs } = this.#settings;
    const parts = { node: this.#node, wanted: this.#wanted, accepted: this.#accepted, sink: this.#sink };
    if (this.#variant === 'delta') {
      const call = callDelta(client, metadata);
      this.#run(call, new DeltaStream({ ...parts, send: (request) => call.write(request) }));
    } else {
      const call = callSotw(client, metadata);
      this.#run(call, new SotwStream({ ...parts, clock, missingAfterMs, send: (request) => call.write(request) }));
    }
  }

  #run<Request, Response>(call: ClientDuplexStream<Request, Response>, protocol: AdsStream<Response>): void {
    const stream: OpenStream = {
      protocol,
      pause: () => call.pause(),
      resume: () => call.resume(),
      cancel: () => call.cancel(),
    };
    const watchdog = this.#settings.clock.after(this.#settings.silenceMs, () => {
      this.#lost(stream, `nothing arrived within ${this.#settings.silenceMs} ms`);
    });
    this.#phase = { at: 'open', stream, watchdog };
    let alive = false;
    const markAlive = () => {
      if (alive || !this.#isOpen(stream)) return;
      alive = true;
      this.#sink.onState({ phase: 'connected' });
    };
    call.on('metadata', () => {
      // With something in force, a server that has nothing new may stay silent; without, configuration must come.
      if (!this.#accepted.empty) watchdog.cancel();
      markAlive();
    });
    call.on('data', (response: Response) => {
      watchdog.cancel();
      markAlive();
      this.#receive(stream, () => protocol.receive(response));
    });
    // The status that follows says the same; without a listener the error would end the process.
    call.on('error', () => undefined);
    call.on('status', (status: StatusObject) => this.#ended(stream, status));
    protocol.start();
  }

  /** One response at a time: while the sink decides, the call is paused, and so in the end the server (HTTP/2 flow control). */
  #receive(stream: OpenStream, take: () => Promise<void> | undefined): void {
    if (!this.#isOpen(stream)) return;
    this.#failures = 0;
    this.#working = true;
    const before = this.#deciding;
    const pending = before === undefined ? take() : before.then(take);
    if (pending === undefined) return;
    stream.pause();
    const deciding = pending.then(() => {
      if (this.#deciding === deciding) this.#deciding = undefined;
      if (this.#isOpen(stream)) stream.resume();
    });
    this.#deciding = deciding;
  }

  #ended(stream: OpenStream, status: StatusObject): void {
    const delta = this.#variant === 'delta' && this.#settings.mode === 'auto';
    if (delta && status.code === grpcStatus.UNIMPLEMENTED && this.#isOpen(stream)) {
      this.#variant = 'sotw';
      void this.#connect();
      return;
    }
    const code = grpcStatus[status.code];
    this.#lost(stream, status.code === grpcStatus.OK ? 'the server ended the stream' : `${code}: ${status.details}`);
  }

  #lost(stream: OpenStream, reason: string): void {
    if (this.#isOpen(stream)) this.#retry(reason);
  }

  #retry(reason: string): void {
    const { clock, draws } = this.#settings;
    const retryInMs = reconnectDelayMs(this.#failures, draws('reconnect-jitter'));
    // A channel that could not connect would go on trying by itself, at its own pace.
    if (!this.#working) this.#dropClient();
    this.#working = false;
    this.#failures += 1;
    const timer = clock.after(retryInMs, () => void this.#connect());
    this.#leavePhase({ at: 'waiting', timer });
    this.#sink.onState({ phase: 'disconnected', reason, retryInMs });
  }

  #isOpen(stream: OpenStream): boolean {
    return this.#phase.at === 'open' && this.#phase.stream === stream;
  }

  #leavePhase(next: Phase): void {
    const phase = this.#phase;
    if (phase.at === 'closed') {
      if (next.at === 'waiting') next.timer.cancel();
      return;
    }
    this.#phase = next;
    if (phase.at === 'waiting') phase.timer.cancel();
    if (phase.at !== 'open') return;
    phase.watchdog.cancel();
    phase.stream.protocol.stop();
    phase.stream.cancel();
  }

  #dropClient(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
