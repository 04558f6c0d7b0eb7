// @heddle/grpc: gRPC clients and servers of @grpc/grpc-js in the mesh.
import './install.js';

export { meshChannel } from './client/mesh-channel.js';
export type { MeshHandle } from './client/mesh-channel.js';
export type { ChannelOptions } from './client/channel-runtime.js';
export { bindGrpc } from './server/bind-grpc.js';
export type { GrpcListener } from './server/bind-grpc.js';
export { meshCallInfo } from './server/call-info.js';
