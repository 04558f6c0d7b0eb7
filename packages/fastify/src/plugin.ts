// The plugin that gives every request `request.mesh` and runs its handlers inside the mesh's context.
import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { type InboundAccess, MeshError, type MeshRequestInfo } from '@heddle/core';

/** The part of a mesh that the plugin needs. */
export interface FastifyMesh {
  readonly inbound: InboundAccess;
}

export interface HeddleOptions {
  readonly mesh: FastifyMesh;
  /** Answers a MeshError that a handler lets through with its HTTP status. Default true; false leaves all errors to your own handler. */
  readonly errors?: boolean | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The mesh's facts of this request: peer, request id, deadline, signal. */
    readonly mesh: MeshRequestInfo;
  }
}

const plugin: FastifyPluginCallback<HeddleOptions> = (app, { mesh, errors }, done) => {
  const { inbound } = mesh;
  app.decorateRequest('mesh', {
    getter(this: FastifyRequest) {
      const info = inbound.info(this.raw);
      if (info === undefined)
        throw new MeshError('INTERNAL', 'request.mesh is read before the plugin has seen the request');
      return info;
    },
  });
  app.addHook('onRequest', (request, reply, next) => {
    if (inbound.info(request.raw) === undefined) runPolicies(inbound, request, reply, next);
    else next();
  });
  if (errors !== false) answerMeshErrors(app);
  done();
};

/**
 * Register it before your routes. Requests that `mesh.serve` accepted have passed the policies already; for others (`app.listen`) the plugin runs them.
 *
 * @example await app.register(heddle, { mesh });
 */
export const heddle = fastifyPlugin(plugin, { fastify: '5.x', name: '@heddle/fastify' });

function runPolicies(
  inbound: InboundAccess,
  request: FastifyRequest,
  reply: FastifyReply,
  next: (error?: Error) => void,
): void {
  const routed = request.raw.url;
  inbound.handle(request.raw, reply.raw, () => {
    // Fastify chose the route by the path as it came. Where policy saw another one, the two could disagree about what is allowed.
    if (request.raw.url === routed) next();
    else next(new MeshError('INVALID_REQUEST', 'the path is not in normal form'));
  });
}

/** As a proxy would answer, without the error's own message; other errors go where they went before. */
function answerMeshErrors(app: FastifyInstance): void {
  const before = app.errorHandler;
  app.setErrorHandler((error: Error, request, reply) => {
    if (!MeshError.is(error)) return before(error as never, request, reply) as unknown;
    const { httpStatus, body } = error.kind;
    const text = body === '' ? (STATUS_CODES[httpStatus] ?? 'error') : body;
    return reply.code(httpStatus).type('text/plain; charset=utf-8').send(text);
  });
}
