// The global dispatcher of a process in the mesh. What the mesh can't carry (WebSocket upgrades, tunnels) goes its own way, as it would without Heddle.
import {
  DispatcherBase,
  dispatcherMethods,
  openAgent,
  wrapLegacyHandler,
  type Dispatcher,
} from '../../transport/undici.js';

export class ProcessDispatcher extends DispatcherBase {
  readonly #mesh: Dispatcher;
  #agent: Dispatcher | undefined;

  constructor(mesh: Dispatcher) {
    super();
    this.#mesh = mesh;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (!isTunnel(options)) return this.#mesh.dispatch(options, handler);
    this.#agent ??= openAgent();
    return this.#agent.dispatch(options, wrapLegacyHandler(handler));
  }

  /** The mesh closes itself; undici closes a dispatcher that it replaces. */
  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> {
    callback?.();
    return Promise.resolve();
  }
}

Object.assign(ProcessDispatcher.prototype, dispatcherMethods);

function isTunnel({ upgrade, method }: Dispatcher.DispatchOptions): boolean {
  return method === 'CONNECT' || (upgrade !== undefined && upgrade !== null && upgrade !== false);
}
