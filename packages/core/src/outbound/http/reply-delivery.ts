// How the mesh's own answers and failures reach a caller's handler. What a handler throws stays within its own call.
import type { Dispatcher } from '../../transport/undici.js';
import type { LocalResponse } from './local-response.js';

/** Stands in for the handler of a call that is over. */
export const NO_HANDLER: Dispatcher.DispatchHandler = Object.freeze({});

export function deliverResponse(
  handler: Dispatcher.DispatchHandler,
  controller: Dispatcher.DispatchController,
  response: LocalResponse,
): void {
  try {
    handler.onResponseStart?.(controller, response.status, response.headers, response.statusText);
    if (response.body !== undefined) handler.onResponseData?.(controller, response.body);
    handler.onResponseEnd?.(controller, {});
  } catch (error) {
    deliverError(handler, controller, error instanceof Error ? error : new Error(String(error)));
  }
}

/** A caller's callback that throws out of a timer would end the process. */
export function deliverError(
  handler: Dispatcher.DispatchHandler,
  controller: Dispatcher.DispatchController,
  error: Error,
): void {
  try {
    handler.onResponseError?.(controller, error);
  } catch {
    // It was told; there is nobody else to tell.
  }
}

/** Refusals reach a handler as undici's own do: controller null, after no other callback. */
export function refuseCall(handler: Dispatcher.DispatchHandler, error: Error): void {
  handler.onResponseError?.(null as unknown as Dispatcher.DispatchController, error);
}
