// Envoy's own RBAC cases, run through Heddle's engine. Data: shared corpora, envoy-rbac/rbac.json.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  MtlsAuthenticatedSchema,
  RBACSchema,
  StringValueSchema,
  create,
  AnySchema,
  fromJson,
  toBinary,
  typeUrlOf,
  type Any,
  type JsonObject,
  type JsonValue,
  type RBAC,
} from '@heddle/xds';
import { MeshError } from '../../packages/core/src/errors.js';
import { type RbacEngine, compileRbac } from '../../packages/core/src/filters/rbac/rbac-engine.js';
import type { PeerName, RbacRequest } from '../../packages/core/src/filters/rbac/rbac-request.js';

interface CorpusRequest {
  readonly headers: readonly (readonly [string, string])[];
  readonly local_address?: string;
  readonly direct_remote_address?: string;
  readonly remote_address?: string;
  readonly connection_remote_address?: string;
  readonly tls?: {
    readonly peer_validated: boolean;
    readonly uri_sans: readonly string[];
    readonly dns_sans: readonly string[];
    readonly subject: string;
  } | null;
  readonly sni?: string;
  readonly dynamic_metadata?: Record<string, unknown>;
  readonly route_metadata?: Record<string, unknown>;
  readonly filter_state?: Record<string, string>;
}

interface CorpusCase {
  readonly id: string;
  readonly tags: readonly string[];
  readonly rbac: JsonObject;
  readonly request: CorpusRequest | null;
  readonly expect: 'allow' | 'deny' | 'reject_config';
  readonly expect_access_log_hint?: boolean | null;
}

const corpora = process.env['HEDDLE_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));
const file = join(corpora, 'envoy-rbac/rbac.json');
const TEMPLATE = 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig';

describe.skipIf(!existsSync(file))('Envoy’s RBAC cases (skipped without the corpora)', () => {
  const cases = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: CorpusCase[] }).cases : [];

  it('has the cases that the list names', () => {
    expect(cases).toHaveLength(174);
  });

  it.each(cases.map((one) => [one.id, one] as const))('%s', (_, one) => {
    // An engine without CEL must refuse such a policy as a whole, whatever it would have decided.
    if (one.tags.includes('cel') || one.expect === 'reject_config') {
      expect(() => compile(one.rbac)).toThrow(MeshError);
      return;
    }
    const verdict = compile(one.rbac).decide(requestOf(one.request));
    expect(verdict.allowed).toBe(one.expect === 'allow');
    if (typeof one.expect_access_log_hint === 'boolean')
      expect(verdict.policy !== undefined).toBe(one.expect_access_log_hint);
  });
});

function compile(json: JsonObject): RbacEngine {
  return compileRbac(parse(json), { routeMetadata: true, filterState: () => true });
}

/** Reads the JSON mapping; extensions are packed by hand and CEL, which the engine only has to notice, stays an empty expression. */
function parse(json: JsonObject): RBAC {
  const extensions: Any[] = [];
  const plain = JSON.parse(JSON.stringify(json), (key, value: unknown) => {
    if (key === 'typed_config') {
      extensions.push(packExtension(value as JsonObject));
      return { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: String(extensions.length - 1) };
    }
    return key === 'condition' ? {} : value;
  }) as JsonObject;
  const registry = { getMessage: () => StringValueSchema } as unknown as NonNullable<
    Parameters<typeof fromJson>[2]
  >['registry'];
  const rbac = fromJson(RBACSchema, plain, registry === undefined ? {} : { registry });
  return restore(rbac, extensions);
}

function restore<Value>(value: Value, extensions: readonly Any[]): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'typedConfig') {
      const packed = member as Any;
      const index = Number(new TextDecoder().decode(packed.value.subarray(2)));
      (value as Record<string, unknown>)[key] = extensions[index];
    } else restore(member, extensions);
  }
  return value;
}

function packExtension({ '@type': typeUrl, ...fields }: JsonObject): Any {
  const value =
    typeUrl === TEMPLATE
      ? toBinary(StringValueSchema, create(StringValueSchema, { value: text(fields['path_template']) }))
      : toBinary(MtlsAuthenticatedSchema, fromJson(MtlsAuthenticatedSchema, fields as JsonValue));
  if (typeUrl !== TEMPLATE) expect(typeUrl).toBe(typeUrlOf(MtlsAuthenticatedSchema));
  return create(AnySchema, { typeUrl: text(typeUrl), value });
}

function requestOf(request: CorpusRequest | null): RbacRequest {
  const headers = request?.headers ?? [];
  const header = (name: string): string | undefined => {
    const values = headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(',');
  };
  const local = addressOf(request?.local_address);
  const state = request?.filter_state;
  return {
    header,
    normalizedPath: header(':path') ?? '',
    peerPrincipal: undefined,
    peerNames: peerNamesOf(request?.tls),
    sourceIp: addressOf(request?.connection_remote_address)?.ip,
    directRemoteIp: addressOf(request?.direct_remote_address)?.ip,
    remoteIp: addressOf(request?.remote_address)?.ip,
    destinationIp: local?.ip,
    destinationPort: local?.port,
    serverName: request?.sni,
    dynamicMetadata: request?.dynamic_metadata,
    routeMetadata: request?.route_metadata,
    filterState: (key) => state?.[key],
  };
}

function peerNamesOf(tls: CorpusRequest['tls']): readonly PeerName[] | undefined {
  if (tls?.peer_validated !== true) return undefined;
  return [
    ...tls.uri_sans.map((value) => ({ type: 'uri', value }) as const),
    ...tls.dns_sans.map((value) => ({ type: 'dns', value }) as const),
    { type: 'subject', value: tls.subject },
  ];
}

function addressOf(text: string | undefined): { ip: string; port: number } | undefined {
  const match = /^\[?([^\]]+)\]?:(\d+)$/.exec(text ?? '');
  return match?.[1] === undefined ? undefined : { ip: match[1], port: Number(match[2]) };
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
