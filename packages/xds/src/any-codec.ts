// The one place that packs and unpacks Any. A TypedStruct (udpa or xds) that stands for a known type is read as that type,
// as Envoy does (Envoy: extension configuration, "TypedStruct").
import {
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  fromJson,
  toBinary,
} from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { TypedStructSchema as UdpaTypedStructSchema } from './gen/udpa/type/v1/typed_struct_pb.js';
import { TypedStructSchema as XdsTypedStructSchema } from './gen/xds/type/v3/typed_struct_pb.js';
import { UDPA_TYPED_STRUCT_TYPE_URL, XDS_TYPED_STRUCT_TYPE_URL } from './type-urls.js';

const prefix = 'type.googleapis.com/';

/** The type URL of a message type. */
export function typeUrlOf(schema: DescMessage): string {
  return prefix + schema.typeName;
}

/** Packs a message (or its initial fields) into an Any. */
export function packAny<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return create(AnySchema, { typeUrl: typeUrlOf(schema), value: toBinary(schema, create(schema, init)) });
}

/** The type URL that an Any stands for: its own, or the one inside its TypedStruct. */
export function effectiveTypeUrl(any: Any): string {
  return typedStructOf(any)?.typeUrl ?? any.typeUrl;
}

/**
 * Unpacks an Any as `schema`. Returns undefined when it holds another type; throws when the bytes or, for a TypedStruct,
 * the fields don't fit the type (the message names the field).
 */
export function unpackAny<Desc extends DescMessage>(
  schema: Desc,
  any: Any | undefined,
): MessageShape<Desc> | undefined {
  if (any === undefined) return undefined;
  const wanted = typeUrlOf(schema);
  if (any.typeUrl === wanted) return fromBinary(schema, any.value);
  const struct = typedStructOf(any);
  if (struct?.typeUrl !== wanted) return undefined;
  return fromJson(schema, struct.value ?? {});
}

function typedStructOf(any: Any) {
  if (any.typeUrl === UDPA_TYPED_STRUCT_TYPE_URL) return fromBinary(UdpaTypedStructSchema, any.value);
  if (any.typeUrl === XDS_TYPED_STRUCT_TYPE_URL) return fromBinary(XdsTypedStructSchema, any.value);
  return undefined;
}
