// Transport without sockets: an endpoint's requests go to a function of the test, with the events and errors that undici's pool would give.
import type { Clock, Timer } from '../../clock.js';
import type { EndpointTransport, PoolShape } from '../../transport/endpoint-pool.js';
import type { Dispatcher } from '../../transport/undici.js';
import {
  answerParts,
  identify,
  replyOf,
  upstreamKey,
  type UpstreamReply,
  type UpstreamRequest,
  type Upstreams,
} from './upstreams.js';

/** What all endpoints of one test mesh share. */
export interface MemoryNetwork {
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  /** Requests so far by key. */
  readonly counts: Map<string, number>;
  readonly calls: UpstreamRequest[];
  /** Told when a handler (or a body that is read for it) begins and ends: time must not move by itself meanwhile. */
  readonly busy: (change: 1 | -1) => void;
}

export class MemoryTransport implements EndpointTransport {
  readonly #network: MemoryNetwork;
  readonly #shape: PoolShape;
  readonly #open = new Set<MemoryExchange>();
  #onEmpty: (() => void) | undefined;

  constructor(network: MemoryNetwork, shape: PoolShape) {
    this.#network = network;
    this.#shape = shape;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const exchange = new MemoryExchange(this.#network, this.#shape, options, handler, () => {
      this.#open.delete(exchange);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
    this.#open.add(exchange);
    void exchange.run();
    return true;
  }

  close(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onEmpty = resolve));
  }

  destroy(): Promise<void> {
    for (const exchange of [...this.#open]) exchange.abort(failure('UND_ERR_DESTROYED', 'the transport was destroyed'));
    return Promise.resolve();
  }
}

/** One attempt at one endpoint. */
class MemoryExchange implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  rawHeaders = null;
  rawTrailers = null;
  readonly #abort = new AbortController();
  #ended = false;
  #timer: Timer | undefined;
  #onResume: (() => void) | undefined;

  constructor(
    private readonly network: MemoryNetwork,
    private readonly shape: PoolShape,
    private readonly options: Dispatcher.DispatchOptions,
    private readonly handler: Dispatcher.DispatchHandler,
    private readonly onEnd: () => void,
  ) {}

  /** Never rejects. */
  async run(): Promise<void> {
    let reply: UpstreamReply;
    this.network.busy(1);
    try {
      reply = await this.#ask();
    } catch (error) {
      return this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.network.busy(-1);
    }
    if (this.#ended) return;
    if (reply === 'refuse') return this.#end(() => this.handler.onResponseError?.(NO_CONNECTION, this.#refusal()));
    this.handler.onRequestStart?.(this, {});
    this.#limitHeaders();
    if (reply === 'reset') return this.#fail(failure('ECONNRESET', 'the upstream reset the connection'));
    if (reply === 'hang') return;
    const { delayMs, ...answer } = answerParts(reply, this.options.method);
    if (delayMs <= 0) return this.#answer(answer);
    const timer = this.network.clock.after(delayMs, () => void this.#answer(answer));
    this.#abort.signal.addEventListener('abort', () => timer.cancel(), { once: true });
  }

  abort(reason: Error): void {
    if (this.#ended) return;
    this.aborted = true;
    this.reason = reason;
    this.#abort.abort(reason);
    this.#fail(reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#onResume?.();
  }

  async #ask(): Promise<UpstreamReply> {
    const { upstreams, counts, calls, clock } = this.network;
    const key = upstreamKey(upstreams, this.shape);
    const upstream = key === undefined ? undefined : upstreams[key];
    if (key === undefined || upstream === undefined || upstream === 'refuse') return 'refuse';
    const body = await bodyText(this.options.body);
    if (body !== '') this.handler.onBodySent?.(Buffer.from(body));
    const number = (counts.get(key) ?? 0) + 1;
    counts.set(key, number);
    const { method, path } = this.options;
    const headers = headersOf(this.options.headers as readonly string[]);
    const signal = this.#abort.signal;
    const request = { ...identify(this.shape), method, path, headers, body, atMs: clock.nowMs(), number, signal };
    calls.push(request);
    return replyOf(upstream, request);
  }

  /** undici ends a request whose answer does not begin in time; the mesh sets that where a call has no deadline. */
  #limitHeaders(): void {
    const { headersTimeout } = this.options;
    if (typeof headersTimeout !== 'number' || headersTimeout <= 0) return;
    this.#timer = this.network.clock.after(headersTimeout, () =>
      this.#fail(failure('UND_ERR_HEADERS_TIMEOUT', 'no answer in time')),
    );
  }

  async #answer({ status, headers, bytes }: Omit<ReturnType<typeof answerParts>, 'delayMs'>): Promise<void> {
    if (this.#ended) return;
    this.#timer?.cancel();
    this.handler.onResponseStart?.(this, status, headers);
    await this.#resumed();
    if (bytes.length > 0 && !this.#stopped()) this.handler.onResponseData?.(this, bytes);
    await this.#resumed();
    this.#end(() => this.handler.onResponseEnd?.(this, {}));
  }

  #stopped(): boolean {
    return this.#ended;
  }

  async #resumed(): Promise<void> {
    while (this.paused && !this.#ended) await new Promise<void>((resolve) => (this.#onResume = resolve));
  }

  #fail(error: Error): void {
    this.#end(() => this.handler.onResponseError?.(this, error));
  }

  #end(tell: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#onResume?.();
    this.onEnd();
    tell();
  }

  #refusal(): Error {
    const { address, service, version } = identify(this.shape);
    const name = service === '' ? '' : ` (${version === '' ? service : `${service}/${version}`})`;
    return failure('ECONNREFUSED', `no upstream of the test listens on ${address}${name}`);
  }
}

/** undici's controller of a request for which no connection could be made. */
const NO_CONNECTION = undefined as unknown as Dispatcher.DispatchController;

function failure(code: NodeJS.ErrnoException['code'] & string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function headersOf(flat: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    const value = flat[i + 1] ?? '';
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

async function bodyText(body: Dispatcher.DispatchOptions['body']): Promise<string> {
  if (body === null || body === undefined) return '';
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array | string>) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
