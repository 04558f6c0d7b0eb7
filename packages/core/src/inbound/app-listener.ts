// What may be served: a Node request listener (Express, Connect and Polka apps are functions), a Fastify instance, a Koa app, an http.Server's listeners.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { MeshError } from '../errors.js';

/** The parts of Fastify that serving needs. */
export interface FastifyLike {
  ready(): PromiseLike<unknown>;
  routing(request: IncomingMessage, response: ServerResponse): void;
}

/** The part of Koa. */
export interface KoaLike {
  callback(): RequestListener;
}

export type Application = RequestListener | FastifyLike | KoaLike;

/** The listener of an application, once the application is ready. Rejects with MeshError CONFIG_INVALID for anything that can't be served. */
export async function listenerOf(application: Application): Promise<RequestListener> {
  if (typeof application === 'function') return application;
  if (isFastify(application)) {
    await application.ready();
    return (request, response) => application.routing(request, response);
  }
  if (isKoa(application)) return application.callback();
  throw new MeshError(
    'CONFIG_INVALID',
    'the application to serve must be a request listener, an Express or Koa app, or a Fastify instance',
  );
}

function isFastify(value: unknown): value is FastifyLike {
  return hasMethod(value, 'ready') && hasMethod(value, 'routing');
}

function isKoa(value: unknown): value is KoaLike {
  return hasMethod(value, 'callback');
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'function';
}
