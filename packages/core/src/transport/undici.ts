// The home of undici: every part of it that core uses, loaded by file so that importing core changes nothing in the process. Merely loading undici's
// index installs its Agent as the dispatcher of the built-in fetch (undici 8, lib/global.js).
import { createRequire } from 'node:module';
import type * as undici from 'undici';

export type { Dispatcher, FormData } from 'undici';
export type Connector = undici.buildConnector.connector;
export type PoolOptions = undici.Pool.Options;

const load = createRequire(import.meta.url);

/** A pool of connections. undici's client is loaded with the first one: it costs more than the rest of an import of core together. */
export const newPool = (origin: string, options: PoolOptions): undici.Pool =>
  new (load('undici/lib/dispatcher/pool.js') as typeof undici.Pool)(origin, options);

/** undici's abstract Dispatcher; its index would add `dispatcherMethods` to it. */
export const DispatcherBase = load('undici/lib/dispatcher/dispatcher.js') as typeof undici.Dispatcher;

type ApiName = 'request' | 'stream' | 'pipeline' | 'upgrade' | 'connect';
type ApiMethod = (this: undici.Dispatcher, ...args: unknown[]) => unknown;

/** undici's methods on top of `dispatch`, each loaded with the first call of one. */
const apiMethod = (name: ApiName): ApiMethod =>
  function (...args) {
    return (load('undici/lib/api/index.js') as Record<ApiName, ApiMethod>)[name].apply(this, args);
  };

export const dispatcherMethods: Readonly<Record<ApiName, ApiMethod>> = {
  request: apiMethod('request'),
  stream: apiMethod('stream'),
  pipeline: apiMethod('pipeline'),
  upgrade: apiMethod('upgrade'),
  connect: apiMethod('connect'),
};

interface HandlerWrapper {
  wrapHandler(handler: object): undici.Dispatcher.DispatchHandler;
}

/** Makes a handler of the built-in fetch (undici 6 and 7: onConnect, onHeaders, …) speak the present contract; leaves others as they are. */
export const wrapLegacyHandler = (handler: object): undici.Dispatcher.DispatchHandler =>
  (load('undici/lib/dispatcher/dispatcher1-wrapper.js') as HandlerWrapper).wrapHandler(handler);

/** Path with the `query` option appended, as undici writes it. */
export const pathWithQuery = (path: string, query: Record<string, unknown>): string =>
  (
    load('undici/lib/core/util.js') as { serializePathWithQuery(path: string, query: object): string }
  ).serializePathWithQuery(path, query);

const BUILT_IN_DISPATCHER = Symbol.for('undici.globalDispatcher.1');
const UNDICI_8_DISPATCHER = Symbol.for('undici.globalDispatcher.2');

/**
 * Makes one dispatcher the global one of every undici in the process: the built-in fetch of Node 22 and 24 (undici 6 and 7) looks in the first place,
 * undici 8 in the second. Both keep what they find there when they are loaded later (undici 8, lib/global.js).
 */
export function setGlobalDispatchers(dispatcher: undici.Dispatcher): void {
  for (const place of [BUILT_IN_DISPATCHER, UNDICI_8_DISPATCHER])
    Object.defineProperty(globalThis, place, {
      value: dispatcher,
      writable: true,
      enumerable: false,
      configurable: false,
    });
}

/** An agent of undici's own, outside of the mesh. */
export const openAgent = (): undici.Dispatcher =>
  new (load('undici/lib/dispatcher/agent.js') as new () => undici.Dispatcher)();

export interface FetchParts {
  readonly fetch: typeof undici.fetch;
  readonly Response: typeof undici.Response;
}

/**
 * undici's fetch, loaded on first use. Its module needs lib/global.js, which sets the dispatcher of the built-in fetch: what was there is put back.
 * Where the built-in fetch is undici 8 itself, it is loaded first, so that it installs its own.
 */
export function loadFetch(): FetchParts {
  const slots = globalThis as unknown as Record<symbol, unknown>;
  if (Number.parseInt(process.versions.undici ?? '0', 10) >= 8) Reflect.get(globalThis, 'Headers');
  const before = slots[BUILT_IN_DISPATCHER];
  const { fetch } = load('undici/lib/web/fetch/index.js') as Pick<FetchParts, 'fetch'>;
  const { Response } = load('undici/lib/web/fetch/response.js') as Pick<FetchParts, 'Response'>;
  // Writable but not configurable: an undefined value is as good as no property to the built-in fetch.
  if (slots[BUILT_IN_DISPATCHER] !== before) slots[BUILT_IN_DISPATCHER] = before;
  return { fetch, Response };
}
