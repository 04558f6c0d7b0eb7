// @heddle/fastify: the mesh's inbound policies, request context and error answers for Fastify 5.
export { type FastifyMesh, type HeddleOptions, heddle } from './plugin.js';
