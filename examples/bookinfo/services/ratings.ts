// ratings: a gRPC service; two instances of it run in the demo.
import { hostname } from 'node:os';
import { Server, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { createMesh } from '@heddle/core';
import '@heddle/grpc';
import { ratingsService, type RatingsReply, type RatingsRequest } from './ratings-api.js';
import { fails } from './switches.js';
import { startTracing } from './tracing.js';

startTracing();
const mesh = await createMesh();
const server = new Server();

server.addService(ratingsService, {
  GetRatings(_call: ServerUnaryCall<RatingsRequest, RatingsReply>, reply: sendUnaryData<RatingsReply>) {
    if (fails()) {
      reply({ code: status.UNAVAILABLE, details: 'ratings store is unavailable' });
      return;
    }
    reply(null, { stars: { Reviewer1: 5, Reviewer2: 4 }, served_by: process.env['POD_NAME'] ?? hostname() });
  },
});

await mesh.bindGrpc(server, 9080, process.env['INSTANCE_IP']);
process.send?.({ ready: true });
