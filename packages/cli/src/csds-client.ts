// Asks a feed who is connected (Client Status Discovery Service), over plain gRPC.
import { Client, credentials } from '@grpc/grpc-js';
import {
  ClientStatusRequestSchema,
  ClientStatusResponseSchema,
  create,
  fromBinary,
  toBinary,
  type ClientStatusResponse,
} from '@heddle/xds';

const METHOD = '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus';

/** Rejects with an Error whose message names the address when the feed does not answer within `timeoutMs`. */
export async function fetchClientStatus(address: string, timeoutMs = 5_000): Promise<ClientStatusResponse> {
  const client = new Client(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        METHOD,
        (request: Uint8Array) => Buffer.from(request),
        (bytes: Buffer) => fromBinary(ClientStatusResponseSchema, bytes),
        toBinary(ClientStatusRequestSchema, create(ClientStatusRequestSchema)),
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (error !== null) reject(new Error(`the feed at ${address} does not answer: ${error.details}`));
          else if (response === undefined) reject(new Error(`the feed at ${address} sent an empty answer`));
          else resolve(response);
        },
      );
    });
  } finally {
    client.close();
  }
}
