// Reading of filter configurations: unpacking with errors that name the filter, durations, and faults of single fields.
import { type Any, type DescMessage, type Duration, type MessageShape, effectiveTypeUrl, unpackAny } from '@heddle/xds';
import { MeshError } from '../errors.js';

/**
 * Unpacks a filter's configuration; undefined stays undefined. Throws MeshError CONFIG_INVALID when it is of another type or its bytes (for a TypedStruct:
 * its fields) don't fit.
 */
export function unpackConfig<Desc extends DescMessage>(
  schema: Desc,
  any: Any | undefined,
  filter: string,
): MessageShape<Desc> | undefined {
  if (any === undefined || any.typeUrl === '') return undefined;
  const message = withPath(filter, () => unpackAny(schema, any));
  if (message === undefined) throw configFault(filter, `expected ${schema.typeName}, got ${effectiveTypeUrl(any)}`);
  return message;
}

/** A MeshError CONFIG_INVALID that names the field. */
export function configFault(path: string, reason: string): MeshError {
  return new MeshError('CONFIG_INVALID', `${path}: ${reason}`);
}

/** Runs a compile step; whatever it throws names `path` in front and is CONFIG_INVALID. */
export function withPath<Result>(path: string, compile: () => Result): Result {
  try {
    return compile();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MeshError('CONFIG_INVALID', `${path}: ${reason}`, { cause });
  }
}

/** Milliseconds of a Duration; undefined stays undefined. */
export function durationMs(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : Number(duration.seconds) * 1_000 + duration.nanos / 1e6;
}
