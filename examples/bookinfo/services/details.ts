// details: a Fastify service without calls of its own.
import Fastify from 'fastify';
import { createMesh } from '@heddle/core';
import { heddle } from '@heddle/fastify';
import { startTracing } from './tracing.js';

startTracing();
const mesh = await createMesh();
const app = Fastify();
await app.register(heddle, { mesh });

app.get<{ Params: { id: string } }>('/details/:id', (request) => ({
  id: Number(request.params.id),
  author: 'William Shakespeare',
  year: 1595,
  pages: 200,
  caller: request.mesh.peer?.spiffeId,
}));

await mesh.serve(app, 9080, { host: process.env['INSTANCE_IP'] });
process.send?.({ ready: true });
