// Conditions on the request as RBAC permissions (Istio: authz/model/generator.go, permission half).
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  AnySchema,
  MetadataMatcherSchema,
  type Permission,
  PermissionSchema,
  ValueMatcherSchema,
  create,
} from '@heddle/xds';
import { addressRange } from './address-range.js';
import { oneValue } from './principals.js';
import { headerPattern, patternMatcher } from './string-match.js';

const URI_TEMPLATE = 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig';

export function permission(rule: Permission['rule']): Permission {
  return create(PermissionSchema, { rule });
}

export const anyPermission = (): Permission => permission({ case: 'any', value: true });

export function allPermissions(rules: readonly Permission[]): Permission {
  return create(PermissionSchema, { rule: { case: 'andRules', value: { rules: [...rules] } } });
}

export function onePermission(rules: readonly Permission[]): Permission {
  return create(PermissionSchema, { rule: { case: 'orRules', value: { rules: [...rules] } } });
}

export function notPermission(rule: Permission): Permission {
  return permission({ case: 'notRule', value: rule });
}

export function destinationAddress(block: string): Permission {
  return permission({ case: 'destinationIp', value: addressRange(block) });
}

export function destinationPort(text: string): Permission {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new RangeError(`${text} is no port`);
  return permission({ case: 'destinationPort', value: port });
}

export function serverName(pattern: string): Permission {
  return permission({ case: 'requestedServerName', value: patternMatcher(pattern) });
}

export function headerPermission(name: ':method' | ':authority', pattern: string): Permission {
  return permission({ case: 'header', value: headerPattern(name, pattern, name === ':authority') });
}

/** A path pattern; `{*}` stands for one segment and `{**}` for any number (Envoy: uri_template). */
export function pathPermission(pattern: string): Permission {
  if (!pattern.includes('{*}') && !pattern.includes('{**}')) {
    return create(PermissionSchema, {
      rule: { case: 'urlPath', value: { rule: { case: 'path', value: patternMatcher(pattern) } } },
    });
  }
  const template = pattern.replaceAll('{*}', '*').replaceAll('{**}', '**');
  const value = create(AnySchema, { typeUrl: URI_TEMPLATE, value: stringField(template) });
  return create(PermissionSchema, {
    rule: { case: 'uriTemplate', value: { name: 'uri-template', typedConfig: value } },
  });
}

/** A message whose only content is field 1, a string: UriTemplateMatchConfig.path_template. */
function stringField(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Uint8Array.of(0x0a, ...length, ...bytes);
}

/** `experimental.envoy.filters.NAME[KEY]`: metadata that a filter wrote; `[value]` looks into a list. */
export function metadataPermission(key: string, values: readonly string[]): Permission {
  const parts = /^experimental\.([^[]+)\[(.*)\]$/.exec(key);
  if (parts === null) throw new RangeError(`${key} names no filter metadata`);
  const matchers = values.map((value) => {
    const listed = value.startsWith('[') && value.endsWith(']');
    const pattern = listed ? value.replace(/^[[\]]+|[[\]]+$/g, '') : value;
    const text = create(ValueMatcherSchema, { matchPattern: { case: 'stringMatch', value: patternMatcher(pattern) } });
    if (!listed) return text;
    return create(ValueMatcherSchema, {
      matchPattern: { case: 'listMatch', value: { matchPattern: { case: 'oneOf', value: text } } },
    });
  });
  const metadata = create(MetadataMatcherSchema, {
    filter: parts[1] ?? '',
    path: [{ segment: { case: 'key', value: parts[2] ?? '' } }],
    value: oneValue(matchers),
  });
  return permission({ case: 'metadata', value: metadata });
}
