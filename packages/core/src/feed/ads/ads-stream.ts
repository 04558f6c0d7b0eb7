// What delta and state-of-the-world streams have in common. A stream moves names, bytes and acknowledgements; it knows no resource type.
import {
  type FeedSink,
  type MessageInitShape,
  type RejectedResource,
  RESOURCE_TYPE_URLS,
  type ResourceTypeUrl,
  type StatusSchema,
  type FeedUpdate,
} from '@heddle/xds';

/** One open stream of one protocol variant. */
export interface AdsStream<Response> {
  /** Asks for everything that is wanted, naming what is already in force. */
  start(): void;
  /** The wanted names of a type were replaced. */
  wantChanged(typeUrl: ResourceTypeUrl): void;
  /** Takes a response and acknowledges it. A promise means: hand over no other response before it settles. */
  receive(response: Response): Promise<void> | undefined;
  /** The stream ended: nothing is sent any more, timers stop. */
  stop(): void;
}

/** google.rpc.Code of a NACK. */
const INVALID_ARGUMENT = 3;
const MAX_DETAIL_LENGTH = 8192;

/** The error_detail of a NACK, naming each refused resource; undefined for an ACK. */
export function errorDetail(rejected: readonly RejectedResource[]): MessageInitShape<typeof StatusSchema> | undefined {
  if (rejected.length === 0) return undefined;
  const message = rejected.map((resource) => resource.message).join('; ');
  const short =
    message.length <= MAX_DETAIL_LENGTH
      ? message
      : `${message.slice(0, MAX_DETAIL_LENGTH)}… (${rejected.length} resources)`;
  return { code: INVALID_ARGUMENT, message: short };
}

/** The type, when it is one that a feed delivers. */
export function knownType(typeUrl: string): ResourceTypeUrl | undefined {
  return RESOURCE_TYPE_URLS.find((known) => known === typeUrl);
}

/** `Cluster` of `type.googleapis.com/envoy.config.cluster.v3.Cluster`. */
export function shortTypeName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}

/** Hands an update to the sink. A defect there refuses the update and leaves the stream alive. */
export function offer(sink: FeedSink, update: FeedUpdate): ReturnType<FeedSink['onUpdate']> {
  const refuseAll = (error: unknown) => {
    const message = `${shortTypeName(update.typeUrl)} update ${update.version}: ${error instanceof Error ? error.message : String(error)}`;
    return update.resources.map(({ name }) => ({ name, message }));
  };
  try {
    const answer = sink.onUpdate(update);
    return answer instanceof Promise ? answer.catch(refuseAll) : answer;
  } catch (error) {
    return refuseAll(error);
  }
}
