// The value of an HTTP_FILTER patch, plain YAML data, as an HttpFilter message. Types that Heddle knows are packed as
// themselves; every other type goes as a TypedStruct, which Envoy reads as that type.
import {
  type Any,
  AnySchema,
  CorsSchema,
  type DescMessage,
  HTTPFaultSchema,
  type HttpFilter,
  HttpFilterSchema,
  HttpRbacSchema,
  JwtAuthenticationSchema,
  type JsonObject,
  LocalRateLimitSchema,
  RouterSchema,
  UDPA_TYPED_STRUCT_TYPE_URL,
  UdpaTypedStructSchema,
  XDS_TYPED_STRUCT_TYPE_URL,
  create,
  fromBinary,
  fromJson,
  packAny,
  toBinary,
  toJson,
  typeUrlOf,
} from '@heddle/xds';

const KNOWN: readonly DescMessage[] = [CorsSchema, HTTPFaultSchema, HttpRbacSchema, JwtAuthenticationSchema, LocalRateLimitSchema, RouterSchema]; // prettier-ignore

export interface PatchFilter {
  readonly name: string;
  /** undefined when the value only names a filter. */
  readonly typedConfig: Any | undefined;
}

/** Throws a TypeError that names the field when the value is no filter. */
export function patchFilter(value: Readonly<Record<string, unknown>>): PatchFilter {
  const { name } = value;
  if (typeof name !== 'string' || name === '') throw new TypeError('name: a filter needs a name');
  const config = value['typed_config'] ?? value['typedConfig'];
  return { name, typedConfig: config === undefined ? undefined : anyOf(asObject(config, 'typed_config')) };
}

export function filterMessage(filter: PatchFilter): HttpFilter {
  const { name, typedConfig } = filter;
  if (typedConfig === undefined) return create(HttpFilterSchema, { name });
  return create(HttpFilterSchema, { name, configType: { case: 'typedConfig', value: typedConfig } });
}

function anyOf(config: JsonObject): Any {
  const { '@type': typeUrl, ...fields } = config;
  if (typeof typeUrl !== 'string') throw new TypeError('typed_config: "@type" is missing');
  if (typeUrl === UDPA_TYPED_STRUCT_TYPE_URL || typeUrl === XDS_TYPED_STRUCT_TYPE_URL) return typedStruct(fields);
  return packType(typeUrl, fields);
}

function typedStruct(fields: JsonObject): Any {
  const inner = fields['type_url'] ?? fields['typeUrl'];
  if (typeof inner !== 'string') throw new TypeError('typed_config: "type_url" is missing');
  return packType(inner, asObject(fields['value'] ?? {}, 'value'));
}

/** Known types are checked field by field; the message of the error names the field. */
function packType(typeUrl: string, fields: JsonObject): Any {
  const schema = KNOWN.find((candidate) => typeUrlOf(candidate) === typeUrl);
  if (schema === undefined) return packAny(UdpaTypedStructSchema, { typeUrl, value: fields });
  const message = fromJson(schema, fields);
  return create(AnySchema, { typeUrl, value: toBinary(schema, message) });
}

/** The filter with the patch's settings laid over its own: messages field by field, lists one after the other (proto merge) or replaced. */
export function mergedFilter(base: HttpFilter, patch: PatchFilter, lists: 'append' | 'replace'): HttpFilter {
  const own = base.configType.case === 'typedConfig' ? base.configType.value : undefined;
  if (patch.typedConfig === undefined || own === undefined) return base;
  const schema = KNOWN.find((candidate) => typeUrlOf(candidate) === own.typeUrl);
  if (schema === undefined || own.typeUrl !== patch.typedConfig.typeUrl) {
    throw new TypeError(`typed_config: ${patch.typedConfig.typeUrl} cannot be merged into ${own.typeUrl}`);
  }
  const read = (any: Any) => toJson(schema, fromBinary(schema, any.value)) as JsonObject;
  return filterMessage({
    name: base.name,
    typedConfig: packType(own.typeUrl, mergeJson(read(own), read(patch.typedConfig), lists)),
  });
}

function mergeJson(base: JsonObject, patch: JsonObject, lists: 'append' | 'replace'): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    const own = merged[key];
    if (lists === 'append' && Array.isArray(own) && Array.isArray(value)) merged[key] = [...own, ...value];
    else merged[key] = isObject(own) && isObject(value) ? mergeJson(own, value, lists) : value;
  }
  return merged;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown, field: string): JsonObject {
  if (!isObject(value)) throw new TypeError(`${field}: expected an object`);
  return value;
}
