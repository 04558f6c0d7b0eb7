// The gRPC interface of ratings, loaded from its .proto as grpc-js users do.
import { fileURLToPath } from 'node:url';
import {
  credentials,
  loadPackageDefinition,
  type ChannelInterface,
  type Client,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface RatingsRequest {
  product: string;
}

export interface RatingsReply {
  stars: Record<string, number>;
  served_by: string;
}

interface RatingsClient extends Client {
  GetRatings(request: RatingsRequest, done: (error: ServiceError | null, reply?: RatingsReply) => void): void;
}

interface RatingsConstructor {
  new (
    address: string,
    security: ReturnType<typeof credentials.createInsecure>,
    options: { channelOverride: ChannelInterface },
  ): RatingsClient;
  readonly service: ServiceDefinition;
}

const definition = loadSync(fileURLToPath(new URL('../../services/ratings.proto', import.meta.url)), {
  keepCase: true,
});
const Ratings = (loadPackageDefinition(definition) as unknown as { bookinfo: { Ratings: RatingsConstructor } }).bookinfo
  .Ratings;

export const ratingsService = Ratings.service;

/** A client whose calls go through the mesh's channel: the mesh chooses the endpoint and the security of each call. */
export function ratingsClient(channel: ChannelInterface): RatingsClient {
  return new Ratings('ratings:9080', credentials.createInsecure(), { channelOverride: channel });
}
