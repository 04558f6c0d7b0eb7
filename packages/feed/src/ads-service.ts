// The two methods of aggregated discovery: requests are decoded, responses are bytes that are ready already.
import {
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  status as grpcStatus,
} from '@grpc/grpc-js';
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  fromBinary,
  toBinary,
} from '@heddle/xds';
import type { ClientSession, RequestOutcome } from './client-session.js';
import type { ResourceField } from './response-encoding.js';

const SERVICE = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
const asBytes = (bytes: Buffer): Buffer => bytes;

export const adsDefinition: ServiceDefinition = {
  deltaAggregatedResources: {
    path: `${SERVICE}/DeltaAggregatedResources`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (value: DeltaDiscoveryRequest) => Buffer.from(toBinary(DeltaDiscoveryRequestSchema, value)),
    requestDeserialize: (bytes) => fromBinary(DeltaDiscoveryRequestSchema, bytes),
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
  streamAggregatedResources: {
    path: `${SERVICE}/StreamAggregatedResources`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (value: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, value)),
    requestDeserialize: (bytes) => fromBinary(DiscoveryRequestSchema, bytes),
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
};

/** What the streams need of the server. */
export interface AdsHost {
  open(variant: ResourceField, peer: string, write: (response: Buffer) => boolean): ClientSession;
  /** A request was taken, or the client reads again: a push may be due. */
  moved(session: ClientSession): void;
  gone(session: ClientSession): void;
}

type AdsCall<Request> = ServerDuplexStream<Request, Buffer>;

export function adsImplementation(host: AdsHost): UntypedServiceImplementation {
  return {
    deltaAggregatedResources: (call: AdsCall<DeltaDiscoveryRequest>) =>
      serve(host, 'delta', call, (session, request) => session.onDeltaRequest(request)),
    streamAggregatedResources: (call: AdsCall<DiscoveryRequest>) =>
      serve(host, 'sotw', call, (session, request) => session.onSotwRequest(request)),
  };
}

function serve<Request>(
  host: AdsHost,
  variant: ResourceField,
  call: AdsCall<Request>,
  take: (session: ClientSession, request: Request) => RequestOutcome,
): void {
  const session = host.open(variant, call.getPeer(), (response) => call.write(response));
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    host.gone(session);
  };
  const fail = (code: grpcStatus, details: string) => {
    end();
    call.emit('error', { code, details });
  };
  call.on('data', (request: Request) => {
    if (over) return;
    try {
      const outcome = take(session, request);
      if (!outcome.ok) return fail(grpcStatus.INVALID_ARGUMENT, outcome.message);
      host.moved(session);
    } catch (error) {
      fail(grpcStatus.UNAVAILABLE, error instanceof Error ? error.message : String(error));
    }
  });
  call.on('drain', () => {
    session.drained();
    host.moved(session);
  });
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('close', end);
  call.on('error', end);
}
