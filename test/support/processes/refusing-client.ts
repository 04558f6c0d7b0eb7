// An xDS client that refuses every cluster it is sent, as a proxy of another make or version might.
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import {
  CLUSTER_TYPE_URL,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  create,
  fromBinary,
  toBinary,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
} from '@heddle/xds';

const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';

/** Subscribes to clusters by delta ADS and answers each response with this refusal. Returns the end of the client. */
export function startRefusingClient(feed: string, nodeId: string, refusal: string): () => void {
  const client = new Client(feed, credentials.createInsecure());
  const stream: ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> = client.makeBidiStreamRequest(
    path,
    (request: DeltaDiscoveryRequest) => Buffer.from(toBinary(DeltaDiscoveryRequestSchema, request)),
    (bytes: Buffer) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
  );
  stream.on('error', () => undefined);
  stream.on('data', ({ nonce }: DeltaDiscoveryResponse) => {
    const errorDetail = { code: 3, message: refusal };
    stream.write(create(DeltaDiscoveryRequestSchema, { typeUrl: CLUSTER_TYPE_URL, responseNonce: nonce, errorDetail }));
  });
  stream.write(
    create(DeltaDiscoveryRequestSchema, {
      node: { id: nodeId },
      typeUrl: CLUSTER_TYPE_URL,
      resourceNamesSubscribe: ['*'],
    }),
  );
  return () => {
    stream.cancel();
    client.close();
  };
}
