// Reads the name of a serialized resource without its type: state of the world sends none beside the bytes, and every resource
// type of a feed keeps its name in field 1 (Listener.name, RouteConfiguration.name, Cluster.name, ClusterLoadAssignment.cluster_name, Secret.name).

const decoder = new TextDecoder('utf-8', { fatal: true });

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** The name, or undefined when the bytes are no protobuf message with a non-empty string in field 1. */
export function resourceNameField(bytes: Uint8Array): string | undefined {
  const cursor: Cursor = { bytes, at: 0 };
  let name: Uint8Array | undefined;
  while (cursor.at < bytes.length) {
    const tag = readVarint(cursor);
    if (tag === undefined || tag < 8) return undefined;
    if (tag === NAME_TAG) {
      name = readLengthDelimited(cursor);
      // Serializers write fields in order: the name is the first, and need not be looked for further.
      break;
    }
    if (!skipField(cursor, tag % 8)) return undefined;
  }
  return name === undefined || name.length === 0 ? undefined : decodeText(name);
}

/** Field 1, wire type 2 (length-delimited). */
const NAME_TAG = 10;

function readVarint(cursor: Cursor): number | undefined {
  let value = 0;
  let scale = 1;
  for (let count = 0; count < 10; count++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  return undefined;
}

function readLengthDelimited(cursor: Cursor): Uint8Array | undefined {
  const length = readVarint(cursor);
  if (length === undefined || cursor.at + length > cursor.bytes.length) return undefined;
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
}

function skipField(cursor: Cursor, wireType: number): boolean {
  if (wireType === 0) return readVarint(cursor) !== undefined;
  if (wireType === 2) return readLengthDelimited(cursor) !== undefined;
  if (wireType !== 1 && wireType !== 5) return false;
  cursor.at += wireType === 1 ? 8 : 4;
  return cursor.at <= cursor.bytes.length;
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
