import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as xds from '@heddle/xds';
import { describe, expect, it } from 'vitest';

const { HTTPFaultSchema, RouterSchema, UdpaTypedStructSchema, XdsTypedStructSchema } = xds;

describe('Any', () => {
  it('gives back what was packed, and nothing when it holds another type', () => {
    const any = xds.packAny(HTTPFaultSchema, { upstreamCluster: 'a' });
    expect(any.typeUrl).toBe(xds.FAULT_TYPE_URL);
    expect(xds.unpackAny(HTTPFaultSchema, any)?.upstreamCluster).toBe('a');
    expect(xds.unpackAny(RouterSchema, any)).toBeUndefined();
    expect(xds.unpackAny(RouterSchema, undefined)).toBeUndefined();
  });

  it.each([
    ['udpa', UdpaTypedStructSchema, xds.UDPA_TYPED_STRUCT_TYPE_URL],
    ['xds', XdsTypedStructSchema, xds.XDS_TYPED_STRUCT_TYPE_URL],
  ])('reads a %s TypedStruct as the type that it stands for, as Envoy does', (_, schema, url) => {
    const any = xds.packAny(schema, {
      typeUrl: xds.LOCAL_RATE_LIMIT_TYPE_URL,
      value: { stat_prefix: 'limiter', token_bucket: { max_tokens: 100, tokens_per_fill: 100, fill_interval: '60s' } },
    });
    expect(any.typeUrl).toBe(url);
    expect(xds.effectiveTypeUrl(any)).toBe(xds.LOCAL_RATE_LIMIT_TYPE_URL);
    const limit = xds.unpackAny(xds.LocalRateLimitSchema, any);
    expect(limit?.statPrefix).toBe('limiter');
    expect(limit?.tokenBucket).toMatchObject({ maxTokens: 100, tokensPerFill: 100, fillInterval: { seconds: 60n } });
    expect(xds.unpackAny(RouterSchema, any)).toBeUndefined();
  });

  it('names the field of a TypedStruct that does not fit its type', () => {
    const any = xds.packAny(UdpaTypedStructSchema, {
      typeUrl: xds.LOCAL_RATE_LIMIT_TYPE_URL,
      value: { token_bucket: { max_tokns: 1 } },
    });
    expect(() => xds.unpackAny(xds.LocalRateLimitSchema, any)).toThrow(/max_tokns/);
  });

  it('refuses bytes that are not of the type', () => {
    const broken = xds.create(xds.AnySchema, { typeUrl: xds.CLUSTER_TYPE_URL, value: Uint8Array.of(0x0a, 0xff) });
    expect(() => xds.unpackAny(xds.ClusterSchema, broken)).toThrow();
  });
});

describe('type URLs', () => {
  it.each([
    [xds.LISTENER_TYPE_URL, xds.ListenerSchema],
    [xds.ROUTE_TYPE_URL, xds.RouteConfigurationSchema],
    [xds.CLUSTER_TYPE_URL, xds.ClusterSchema],
    [xds.ENDPOINT_TYPE_URL, xds.ClusterLoadAssignmentSchema],
    [xds.SECRET_TYPE_URL, xds.SecretSchema],
    [xds.HTTP_CONNECTION_MANAGER_TYPE_URL, xds.HttpConnectionManagerSchema],
    [xds.TCP_PROXY_TYPE_URL, xds.TcpProxySchema],
    [xds.NETWORK_RBAC_TYPE_URL, xds.NetworkRbacSchema],
    [xds.ROUTER_TYPE_URL, xds.RouterSchema],
    [xds.FAULT_TYPE_URL, xds.HTTPFaultSchema],
    [xds.RBAC_TYPE_URL, xds.HttpRbacSchema],
    [xds.RBAC_PER_ROUTE_TYPE_URL, xds.HttpRbacPerRouteSchema],
    [xds.JWT_AUTHN_TYPE_URL, xds.JwtAuthenticationSchema],
    [xds.LOCAL_RATE_LIMIT_TYPE_URL, xds.LocalRateLimitSchema],
    [xds.CORS_TYPE_URL, xds.CorsSchema],
    [xds.CORS_POLICY_TYPE_URL, xds.CorsPolicySchema],
    [xds.TLS_INSPECTOR_TYPE_URL, xds.TlsInspectorSchema],
    [xds.UPSTREAM_TLS_TYPE_URL, xds.UpstreamTlsContextSchema],
    [xds.DOWNSTREAM_TLS_TYPE_URL, xds.DownstreamTlsContextSchema],
    [xds.UPSTREAM_HTTP_OPTIONS_TYPE_URL, xds.UpstreamHttpProtocolOptionsSchema],
    [xds.UDPA_TYPED_STRUCT_TYPE_URL, UdpaTypedStructSchema],
    [xds.XDS_TYPED_STRUCT_TYPE_URL, XdsTypedStructSchema],
  ])('%s is that of the generated type', (url, schema) => expect(url).toBe(xds.typeUrlOf(schema)));
});

describe('the bundle', () => {
  it('describes every exported type as the library would', () => {
    let messages = 0;
    for (const [name, exported] of Object.entries(xds)) {
      if (!name.endsWith('Schema') || typeof exported !== 'object' || !('kind' in exported)) continue;
      if (exported.kind !== 'message') {
        expect(String(exported)).toMatch(/^enum /);
        continue;
      }
      const schema = exported as xds.DescMessage;
      messages++;
      const own = schema.parent === undefined ? schema.file.messages : schema.parent.nestedMessages;
      expect(own.map((message) => message.typeName)).toContain(schema.typeName);
      expect(Object.keys(schema.field)).toHaveLength(schema.fields.length);
    }
    expect(messages).toBeGreaterThan(300);
  });

  it('works with another copy of the library: what one writes the other reads', () => {
    const cluster = create(xds.ClusterSchema, {
      name: 'c',
      loadAssignment: { clusterName: 'c', endpoints: [{ priority: 1 }] },
    });
    const again = xds.fromBinary(xds.ClusterSchema, toBinary(xds.ClusterSchema, cluster));
    expect(again.loadAssignment?.endpoints[0]?.priority).toBe(1);
    expect(
      xds.equals(xds.ClusterSchema, again, fromBinary(xds.ClusterSchema, toBinary(xds.ClusterSchema, cluster))),
    ).toBe(true);
    expect(xds.toJson(xds.ClusterSchema, again)).toEqual({
      name: 'c',
      loadAssignment: { clusterName: 'c', endpoints: [{ priority: 1 }] },
    });
  });
});
