// The way to OpenTelemetry: @opentelemetry/api is an optional peer, loaded only once a tracer provider has been registered by the application.
// Heddle never brings an SDK.
import { createRequire } from 'node:module';
import type * as api from '@opentelemetry/api';

export type OtelApi = typeof api;

/** Where every copy of the API 1.x keeps what the application registered (@opentelemetry/api: internal/global-utils). */
const GLOBAL_KEY = Symbol.for('opentelemetry.js.api.1');

/** Returns the API while a tracer provider is registered, else undefined. Costs one property read while nothing is registered. */
export type OtelLookup = () => OtelApi | undefined;

export function createOtelLookup(load: () => OtelApi = loadApi): OtelLookup {
  let api: OtelApi | undefined;
  let missing = false;
  return () => {
    const registered = (globalThis as { [GLOBAL_KEY]?: { trace?: unknown } })[GLOBAL_KEY]?.trace !== undefined;
    if (!registered || missing) return undefined;
    if (api === undefined) {
      try {
        api = load();
      } catch {
        // The application has the API, but not where this package can resolve it: then Heddle only propagates.
        missing = true;
      }
    }
    return api;
  };
}

function loadApi(): OtelApi {
  return createRequire(import.meta.url)('@opentelemetry/api') as OtelApi;
}
