// `mesh.fetch`: undici's fetch over the mesh. It answers like a proxy, or throws MeshError where the call asks for that.
import { MeshError } from '../../errors.js';
import { loadFetch, type Dispatcher, type FetchParts } from '../../transport/undici.js';
import type { HttpCall, HttpCallHints } from './http-call.js';
import type { StartCall } from './mesh-dispatcher.js';

export interface MeshFetchInit extends RequestInit {
  /** `throw`: a call that the mesh itself answers with an error (no route, overflow, timeout, denied) rejects with MeshError. Default `response`. */
  errors?: 'throw' | 'response';
  /** True: the call may be retried although its method is not idempotent. */
  idempotent?: boolean;
  /** Time for the whole call in ms, if shorter than the route's. */
  timeoutMs?: number;
  duplex?: 'half';
}

/** What the mesh knows of a response beyond HTTP. */
export interface ResponseInfo {
  /** Envoy's response flags, joined by `,`; empty for none. */
  readonly flags: string;
  /** Envoy's RESPONSE_CODE_DETAILS, `via_upstream` for the upstream's own answer. */
  readonly details: string;
  readonly attempts: number;
  /** Cluster and endpoint of the last attempt; empty when none was chosen. */
  readonly cluster: string;
  readonly upstreamAddress: string;
  readonly routeName: string;
}

export type MeshFetch = (input: string | URL | Request, init?: MeshFetchInit) => Promise<Response>;

export class FetchClient {
  readonly #start: StartCall;
  readonly #infos = new WeakMap<Response, ResponseInfo>();
  #parts: FetchParts | undefined = undefined;

  constructor(start: StartCall) {
    this.#start = start;
  }

  /** Rejects with MeshError (`errors: 'throw'`, invalid requests, closed mesh), the signal's reason, or TypeError as fetch does. */
  readonly fetch: MeshFetch = async (input, init = {}) => {
    this.#parts ??= loadFetch();
    const dispatcher = new FetchDispatcher(this.#start, init);
    try {
      const { url, options } = requestParts(input, init);
      options['dispatcher'] = dispatcher;
      const response = await this.#parts.fetch(url, options);
      const result = response as unknown as Response;
      if (dispatcher.info !== undefined) this.#infos.set(result, dispatcher.info);
      return result;
    } catch (error) {
      throw meshErrorIn(error) ?? error;
    }
  };

  /** Undefined for a response that did not come from this mesh's fetch. */
  responseInfo(response: Response): ResponseInfo | undefined {
    return this.#infos.get(response);
  }
}

/** A Request of the built-in fetch is foreign to undici's: its parts are handed over instead. */
function requestParts(input: string | URL | Request, init: RequestInit) {
  if (typeof input === 'string' || input instanceof URL) return { url: input, options: formless(init) };
  const inherited: Record<string, unknown> = {
    method: input.method,
    headers: [...input.headers],
    signal: input.signal,
    redirect: input.redirect,
  };
  if (input.body !== null) {
    inherited['body'] = input.body;
    inherited['duplex'] = 'half';
  }
  return { url: input.url, options: { ...inherited, ...formless(init) } };
}

/** FormData, Headers and Blob of the built-in fetch, in forms that undici's takes. */
function formless(init: RequestInit): Record<string, unknown> {
  const options: Record<string, unknown> = { ...init };
  const { headers, body } = init;
  // Looked at in this order, because merely naming the built-in classes loads the built-in fetch.
  if (typeof headers === 'object' && !Array.isArray(headers) && Symbol.iterator in headers)
    options['headers'] = [...headers];
  if (typeof body === 'object' && body instanceof globalThis.FormData) {
    const encoded = new globalThis.Response(body);
    const typed = new globalThis.Headers(headers ?? {});
    typed.set('content-type', encoded.headers.get('content-type') ?? '');
    options['headers'] = [...typed];
    options['body'] = encoded.body;
    options['duplex'] = 'half';
  }
  return options;
}

/** One per fetch: carries the call's hints in and its outcome out; redirects pass through it again. */
class FetchDispatcher implements HttpCallHints {
  info: ResponseInfo | undefined = undefined;
  readonly errors: 'throw' | 'response' | undefined;
  readonly idempotent: boolean | undefined;
  readonly timeoutMs: number | undefined;
  readonly #start: StartCall;

  constructor(start: StartCall, init: MeshFetchInit) {
    this.#start = start;
    this.errors = init.errors;
    this.idempotent = init.idempotent;
    this.timeoutMs = init.timeoutMs;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#start(options, handler, this);
    return true;
  }

  onOutcome({ record, flags }: HttpCall): void {
    const { details, attempts, cluster, upstreamAddress, routeName } = record;
    this.info = { flags, details, attempts, cluster, upstreamAddress, routeName };
  }
}

/** fetch wraps what the dispatcher failed with into `TypeError: fetch failed`. */
function meshErrorIn(error: unknown): MeshError | undefined {
  if (MeshError.is(error)) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  return MeshError.is(cause) ? cause : undefined;
}
