// From a number to grpc-js's Status: what is no status is UNKNOWN (gRPC: status codes).
import { status } from '@grpc/grpc-js';

const BY_NUMBER: readonly status[] = [
  status.OK,
  status.CANCELLED,
  status.UNKNOWN,
  status.INVALID_ARGUMENT,
  status.DEADLINE_EXCEEDED,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
  status.UNAUTHENTICATED,
];

export const statusCode = (code: number): status => BY_NUMBER[code] ?? status.UNKNOWN;
