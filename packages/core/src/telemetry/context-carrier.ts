// Carries the context of an inbound request to everything that runs on its behalf.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestContext } from './request-context.js';

export interface ContextCarrier {
  current(): RequestContext | undefined;
  run<Result>(context: RequestContext, body: () => Result): Result;
}

export function createContextCarrier(): ContextCarrier {
  const storage = new AsyncLocalStorage<RequestContext>();
  return {
    current: () => storage.getStore(),
    run: (context, body) => storage.run(context, body),
  };
}
