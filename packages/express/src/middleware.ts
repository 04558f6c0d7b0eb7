// The middleware that gives every request `request.mesh` and runs its handlers inside the mesh's context.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type InboundAccess, MeshError } from '@heddle/core';

/** The part of a mesh that the middleware needs. */
export interface ExpressMesh {
  readonly inbound: InboundAccess;
}

/** What Express 4 and 5, and Connect, take in `app.use`. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/** What Express adds to a request of its own. */
interface ExpressParts {
  originalUrl?: string;
  readonly baseUrl?: string;
}

/**
 * The first middleware of an app. Requests that `mesh.serve` accepted have passed the policies already and go on at once; for others (`app.listen`) it
 * runs them: filter chain, RBAC, rate limits, faults, header hygiene, metrics and the request's context. A refused request never reaches `next`.
 *
 * @example app.use(heddle(mesh));
 */
export function heddle(mesh: ExpressMesh): Middleware {
  const { inbound } = mesh;
  return (request, response, next) => {
    if (inbound.info(request) !== undefined) {
      next();
      return;
    }
    const express = request as ExpressParts;
    if (express.baseUrl !== undefined && express.baseUrl !== '') {
      // Under a mount path `request.url` is only a part of the path, and policies on a part would be wrong.
      next(
        new MeshError('CONFIG_INVALID', `heddle() must be used at the root of the app, not under ${express.baseUrl}`),
      );
      return;
    }
    inbound.handle(request, response, () => {
      // Normalised by policy: the app must route and log the same path.
      if (express.originalUrl !== undefined) express.originalUrl = request.url ?? '';
      next();
    });
  };
}
