// Client Status Discovery: who is subscribed and how far each client got; what `heddle status` asks.
import type {
  ServiceDefinition,
  UntypedServiceImplementation,
  handleBidiStreamingCall,
  handleUnaryCall,
} from '@grpc/grpc-js';
import {
  type ClientStatusRequest,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  create,
  fromBinary,
  toBinary,
} from '@heddle/xds';
import { type ClientStatus, clientConfig } from './client-status.js';

const SERVICE = '/envoy.service.status.v3.ClientStatusDiscoveryService';

const messages = {
  requestSerialize: (value: ClientStatusRequest) => Buffer.from(toBinary(ClientStatusRequestSchema, value)),
  requestDeserialize: (bytes: Buffer) => fromBinary(ClientStatusRequestSchema, bytes),
  responseSerialize: (value: ClientStatusResponse) => Buffer.from(toBinary(ClientStatusResponseSchema, value)),
  responseDeserialize: (bytes: Buffer) => fromBinary(ClientStatusResponseSchema, bytes),
};

export const csdsDefinition: ServiceDefinition = {
  streamClientStatus: { path: `${SERVICE}/StreamClientStatus`, requestStream: true, responseStream: true, ...messages },
  fetchClientStatus: { path: `${SERVICE}/FetchClientStatus`, requestStream: false, responseStream: false, ...messages },
};

export function csdsImplementation(clients: () => readonly ClientStatus[]): UntypedServiceImplementation {
  const answer = () => create(ClientStatusResponseSchema, { config: clients().map(clientConfig) });
  const fetchClientStatus: handleUnaryCall<ClientStatusRequest, ClientStatusResponse> = (_call, callback) => {
    callback(null, answer());
  };
  const streamClientStatus: handleBidiStreamingCall<ClientStatusRequest, ClientStatusResponse> = (call) => {
    call.on('data', () => call.write(answer()));
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };
  return { fetchClientStatus, streamClientStatus };
}
