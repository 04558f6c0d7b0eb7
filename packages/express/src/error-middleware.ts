// Answers for errors of mesh calls that a handler let through.
import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import { MeshError } from '@heddle/core';

/** What Express 4 and 5 take as error-handling middleware. */
export type ErrorMiddleware = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Goes after all routes. A MeshError is answered as a proxy would answer it (`UPSTREAM_TIMEOUT` is a 504 with Envoy's text), without the error's own
 * message; any other error goes on to the next error handler.
 *
 * @example app.use(heddleErrors());
 */
export function heddleErrors(): ErrorMiddleware {
  return (error, _request, response, next) => {
    if (!MeshError.is(error) || response.headersSent) {
      next(error);
      return;
    }
    const { httpStatus, body } = error.kind;
    const text = body === '' ? (STATUS_CODES[httpStatus] ?? 'error') : body;
    response.statusCode = httpStatus;
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(text);
  };
}
