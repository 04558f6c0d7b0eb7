// A server process: answers 1 KiB of JSON on ten addresses, bare or through the mesh, as node:http, Fastify or Express.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createMesh } from '@heddle/core';
import { heddle as heddleExpress } from '@heddle/express';
import { heddle as heddleFastify } from '@heddle/fastify';
import express from 'express';
import fastify, { type FastifyInstance } from 'fastify';
import { childSpec, serveParent, tellParent } from '../support/child.ts';
import { certificateFor } from './certificate.ts';
import { ENDPOINTS, endpointAddress, type Namespace } from './mesh-yaml.ts';

export interface ServerSpec {
  readonly framework: 'http' | 'fastify' | 'express';
  readonly mesh: boolean;
  readonly namespace: Namespace;
  readonly port: number;
  readonly feedUrl: string;
}

const spec = childSpec() as ServerSpec;
const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(1000) }));
const addresses = Array.from({ length: ENDPOINTS }, (_, index) => endpointAddress(index));

const plainListener: RequestListener = (_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(body);
};

if (spec.mesh) await serveMesh();
else await serveBare();
serveParent(() => {
  const { user, system } = process.cpuUsage();
  return user + system;
});
tellParent('ready');

async function serveMesh(): Promise<void> {
  const mesh = await createMesh({
    service: { name: 'backend', namespace: spec.namespace, labels: { app: 'backend', version: 'v1' } },
    feed: spec.feedUrl,
    instanceIp: endpointAddress(0),
    ...(spec.namespace === 'plain' ? { identity: 'none' as const } : {}),
  });
  const listener = await application(async (app) => {
    if (app.kind === 'express') app.app.use(heddleExpress(mesh));
    else await app.app.register(heddleFastify, { mesh });
  });
  for (const host of addresses) await mesh.serve(listener, spec.port, { host });
}

async function serveBare(): Promise<void> {
  const listener = await application(() => Promise.resolve());
  const identity = spec.namespace === 'secure' ? await certificateFor(spec.feedUrl, 'backend') : undefined;
  for (const host of addresses) {
    const server: Server =
      identity === undefined
        ? createServer(listener)
        : createHttpsServer({ ...identity, requestCert: true, rejectUnauthorized: true }, listener);
    server.listen(spec.port, host);
    await once(server, 'listening');
  }
}

type App =
  | { readonly kind: 'express'; readonly app: express.Express }
  | { readonly kind: 'fastify'; readonly app: FastifyInstance };

async function application(prepare: (app: App) => Promise<void>): Promise<RequestListener> {
  switch (spec.framework) {
    case 'http':
      return plainListener;
    case 'express': {
      const app = express();
      await prepare({ kind: 'express', app });
      app.get('/reviews/:id', plainListener);
      return app;
    }
    case 'fastify': {
      const app = fastify();
      await prepare({ kind: 'fastify', app });
      app.get('/reviews/:id', (_request, reply) => reply.type('application/json').send(body));
      await app.ready();
      return (request, response) => app.routing(request, response);
    }
  }
}
