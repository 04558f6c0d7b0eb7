// Adds `mesh.channel` and `mesh.bindGrpc` to every mesh of the process.
import type { ChannelInterface, Server } from '@grpc/grpc-js';
import { Mesh } from '@heddle/core';
import type { ChannelOptions } from './client/channel-runtime.js';
import { meshChannel } from './client/mesh-channel.js';
import { bindGrpc } from './server/bind-grpc.js';
import type { GrpcListener } from './server/bind-grpc.js';

declare module '@heddle/core' {
  interface Mesh {
    /** A channel to a logical host (`ratings:9080`) for `channelOverride` of generated clients; see meshChannel. */
    channel(target: string, options?: ChannelOptions): ChannelInterface;
    /** Serves a grpc-js server with the mesh's identity and policies; see bindGrpc. `host` defaults to all interfaces. */
    bindGrpc(server: Server, port: number, host?: string): Promise<GrpcListener>;
  }
}

Mesh.prototype.channel = function (this: Mesh, target, options) {
  return meshChannel(this, target, options);
};
Mesh.prototype.bindGrpc = function (this: Mesh, server, port, host) {
  return bindGrpc(this, server, port, host);
};
