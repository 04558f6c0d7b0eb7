// Resources as plain data that can be compared: Any opened, and left out what Heddle leaves out of its own feed on purpose.
import * as xds from '@heddle/xds';

type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** Filters that exist only in Istio's own proxy. */
const ISTIO_FILTERS = new Set(['istio.metadata_exchange', 'istio.alpn', 'istio.stats', 'envoy.filters.http.grpc_stats', 'envoy.filters.network.mongo_proxy']); // prettier-ignore

/** Telemetry of the proxy, DNS details of its resolver, and limits of accepting sockets: nothing that decides about a call. */
const LEFT_OUT = new Set(['accessLog', 'tracing', 'requestIdExtension', 'maxConnectionsToAcceptPerSocketEvent', 'transportSocketConnectTimeout', 'dnsJitter', 'dnsLookupFamily', 'typedDnsResolverConfig', 'cleanupInterval', 'initialReadBufferSize', 'filterDisabled', '$unknown']); // prettier-ignore

const schemas = new Map(
  (Object.values(xds) as readonly unknown[]).filter(isSchema).map((schema) => [schema.typeName, schema]),
);

function isSchema(value: unknown): value is xds.DescMessage {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'message';
}

export function comparable(value: unknown): Plain {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.filter((item) => !isIstioFilter(item)).map(comparable);
  if (typeof value !== 'object' || value === null) return value === undefined ? null : (value as Plain);
  const message = value as Readonly<Record<string, unknown>>;
  if (message['$typeName'] === 'google.protobuf.Any') return openAny(value as xds.Any);
  const entries = Object.entries(message).filter(([key, field]) => !LEFT_OUT.has(key) && !isEmpty(field));
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, comparable(field)]),
  );
}

/** A TypedStruct and the type that it stands for are one. */
function openAny(any: xds.Any): Plain {
  const typeUrl = xds.effectiveTypeUrl(any);
  const schema = schemas.get(typeUrl.slice(typeUrl.indexOf('/') + 1));
  return { typeUrl, content: schema === undefined ? null : comparable(xds.unpackAny(schema, any)) };
}

function isIstioFilter(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'name' in item && ISTIO_FILTERS.has(String(item.name));
}

/** Absent and empty say the same in proto3, but for a message that is there. */
function isEmpty(field: unknown): boolean {
  if (field === undefined || field === '' || field === 0 || field === false) return true;
  if (Array.isArray(field)) return field.filter((item) => !isIstioFilter(item)).length === 0;
  if (typeof field !== 'object' || field === null) return false;
  return !('$typeName' in field) && !(field instanceof Uint8Array) && Object.keys(field).length === 0;
}
