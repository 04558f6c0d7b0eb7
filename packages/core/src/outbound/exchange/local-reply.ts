// Answers that the mesh makes itself, in the shape that filters use, from the table of errors.ts.
import { ERROR_KINDS, MeshError, type ErrorCode } from '../../errors.js';
import type { ReplyAction } from '../../filters/http-filter.js';

/** A reply of a filter, or one of the router's own; `code` is undefined where the answer is no error (redirect, direct response). */
export interface LocalReply extends Omit<ReplyAction, 'kind' | 'code'> {
  readonly code: ErrorCode | undefined;
}

export interface ReplyOverrides {
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly flag?: string;
  readonly details?: string;
}

export function localReply(code: ErrorCode, overrides: ReplyOverrides = {}): LocalReply {
  const kind = ERROR_KINDS[code];
  return {
    code,
    status: overrides.status ?? kind.httpStatus,
    grpcStatus: kind.grpcStatus,
    headers: overrides.headers ?? [],
    body: overrides.body ?? kind.body,
    flag: overrides.flag ?? kind.flag,
    details: overrides.details ?? '',
    policy: undefined,
  };
}

/** The same answer as an error, for callers that ask for errors instead of responses. */
export function replyError(reply: LocalReply, resource: string | undefined): MeshError {
  const text = reply.body === '' ? `the mesh answered ${reply.status}` : reply.body;
  const where = resource === undefined || resource === '' ? '' : ` (${resource})`;
  return new MeshError(reply.code ?? 'INTERNAL', `${text}${where}`, { resource, details: reply.details });
}
