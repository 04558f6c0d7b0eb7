// The mesh as an undici Dispatcher: for `undici.request(url, { dispatcher })`, `setGlobalDispatcher`, undici's fetch and the built-in one, and
// `mesh.dispatcher.request({ origin, path, method })`.
import { MeshError } from '../../errors.js';
import { DispatcherBase, dispatcherMethods, wrapLegacyHandler, type Dispatcher } from '../../transport/undici.js';
import type { HttpCallHints } from './http-call.js';

/** Options that the mesh understands on top of undici's. `idempotent: true` (undici's own option) allows retries of any method. */
export interface MeshDispatchOptions extends Dispatcher.DispatchOptions {
  readonly errors?: 'throw' | 'response';
  readonly timeoutMs?: number;
}

/** Begins a call; never throws. */
export type StartCall = (
  options: MeshDispatchOptions,
  handler: Dispatcher.DispatchHandler,
  hints: HttpCallHints,
) => void;

export class MeshDispatcher extends DispatcherBase {
  readonly #start: StartCall;
  readonly #close: () => Promise<void>;

  constructor(start: StartCall, close: () => Promise<void>) {
    super();
    this.#start = start;
    this.#close = close;
  }

  /** Always true: the mesh has queues of its own, and never asks a caller to wait for a drain event. */
  override dispatch(options: MeshDispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (typeof handler !== 'object') throw new MeshError('INVALID_REQUEST', 'handler must be an object');
    const current = typeof handler.onRequestStart === 'function' ? handler : wrapLegacyHandler(handler);
    this.#start(options, current, options);
    return true;
  }

  /** Closing the dispatcher does not close the mesh: undici closes a dispatcher that it replaces. */
  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> {
    const closed = this.#close();
    if (callback !== undefined) void closed.then(callback);
    return closed;
  }

  override destroy(error?: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> {
    const closed = this.#close();
    const told = typeof error === 'function' ? error : callback;
    if (told !== undefined) void closed.then(told);
    return closed;
  }
}

Object.assign(MeshDispatcher.prototype, dispatcherMethods);
