// Reads route configurations as Envoy's own YAML loader does, where that takes more than the JSON mapping of our types.
import {
  type Any,
  AnySchema,
  RouteConfigurationSchema,
  StringValueSchema,
  create,
  fromJson,
  toBinary,
  type JsonValue,
  type RouteConfiguration,
} from '@heddle/xds';
import { parse } from 'yaml';

/** Decodes a RouteConfiguration from YAML or JSON text; throws what fromJson throws. */
export function routesFromYaml(text: string): RouteConfiguration {
  const templates: string[] = [];
  const json = normalized(parse(text, { intAsBigInt: true }) as unknown, templates);
  const message = fromJson(RouteConfigurationSchema, json);
  for (const host of message.virtualHosts)
    for (const { match } of host.routes)
      if (match?.pathSpecifier.case === 'pathMatchPolicy')
        match.pathSpecifier.value.typedConfig = packed(templates.shift() ?? '');
  return message;
}

/** Durations as `{seconds, nanos}` become `30s`, big integers text; URI templates (types outside the generated ones) are taken out, in order. */
function normalized(value: unknown, templates: string[]): JsonValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map((item) => normalized(item, templates));
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const fields = Object.entries(value);
  if (fields.length > 0 && fields.every(([key]) => key === 'seconds' || key === 'nanos')) {
    const { seconds = 0, nanos = 0 } = value as { seconds?: bigint | number; nanos?: bigint | number };
    return `${Number(seconds) + Number(nanos) / 1e9}s`;
  }
  const result: Record<string, JsonValue> = {};
  for (const [key, item] of fields) {
    if (key === 'typed_config' && typeof item === 'object' && item !== null && 'path_template' in item)
      templates.push(String(item.path_template));
    else result[key] = normalized(item, templates);
  }
  return result;
}

function packed(template: string): Any {
  return create(AnySchema, {
    typeUrl: 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
    value: toBinary(StringValueSchema, create(StringValueSchema, { value: template })),
  });
}
