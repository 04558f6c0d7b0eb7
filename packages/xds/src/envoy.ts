// Every Envoy v3 type that Heddle reads or writes, under one roof. Where two packages of the API use one name, the one that
// configuration means stays plain and the other gets its room as a prefix (`HttpRbac`, `UpstreamHttpProtocolOptions`).
export * from './gen/envoy/admin/v3/config_dump_shared_pb.js';
export * from './gen/envoy/config/accesslog/v3/accesslog_pb.js';
export * from './gen/envoy/config/cluster/v3/circuit_breaker_pb.js';
export * from './gen/envoy/config/cluster/v3/cluster_pb.js';
export * from './gen/envoy/config/cluster/v3/outlier_detection_pb.js';
export * from './gen/envoy/config/common/matcher/v3/matcher_pb.js';
export * from './gen/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js';
export * from './gen/envoy/config/core/v3/address_pb.js';
export * from './gen/envoy/config/core/v3/backoff_pb.js';
export * from './gen/envoy/config/core/v3/base_pb.js';
export * from './gen/envoy/config/core/v3/config_source_pb.js';
export * from './gen/envoy/config/core/v3/extension_pb.js';
export * from './gen/envoy/config/core/v3/grpc_service_pb.js';
export * from './gen/envoy/config/core/v3/health_check_pb.js';
export * from './gen/envoy/config/core/v3/http_uri_pb.js';
export * from './gen/envoy/config/core/v3/protocol_pb.js';
export * from './gen/envoy/config/core/v3/socket_option_pb.js';
export * from './gen/envoy/config/core/v3/substitution_format_string_pb.js';
export * from './gen/envoy/config/endpoint/v3/endpoint_components_pb.js';
export * from './gen/envoy/config/endpoint/v3/endpoint_pb.js';
export * from './gen/envoy/config/listener/v3/api_listener_pb.js';
export * from './gen/envoy/config/listener/v3/listener_components_pb.js';
export * from './gen/envoy/config/listener/v3/listener_pb.js';
export * from './gen/envoy/config/rbac/v3/rbac_pb.js';
export * from './gen/envoy/config/route/v3/route_components_pb.js';
export * from './gen/envoy/config/route/v3/route_pb.js';
export * from './gen/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js';
export * from './gen/envoy/extensions/filters/common/fault/v3/fault_pb.js';
export * from './gen/envoy/extensions/filters/http/fault/v3/fault_pb.js';
export * from './gen/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
export * from './gen/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js';
export * from './gen/envoy/extensions/filters/http/router/v3/router_pb.js';
export * from './gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js';
export * from './gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
export * from './gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
export * from './gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
export * from './gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
export * from './gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
export * from './gen/envoy/service/discovery/v3/ads_pb.js';
export * from './gen/envoy/service/discovery/v3/discovery_pb.js';
export * from './gen/envoy/service/status/v3/csds_pb.js';
export * from './gen/envoy/type/http/v3/path_transformation_pb.js';
export * from './gen/envoy/type/matcher/v3/address_pb.js';
export * from './gen/envoy/type/matcher/v3/filter_state_pb.js';
export * from './gen/envoy/type/matcher/v3/metadata_pb.js';
export * from './gen/envoy/type/matcher/v3/number_pb.js';
export * from './gen/envoy/type/matcher/v3/path_pb.js';
export * from './gen/envoy/type/matcher/v3/regex_pb.js';
export * from './gen/envoy/type/matcher/v3/string_pb.js';
export * from './gen/envoy/type/matcher/v3/struct_pb.js';
export * from './gen/envoy/type/matcher/v3/value_pb.js';
export * from './gen/envoy/type/metadata/v3/metadata_pb.js';
export * from './gen/envoy/type/tracing/v3/custom_tag_pb.js';
export * from './gen/envoy/type/v3/hash_policy_pb.js';
export * from './gen/envoy/type/v3/http_pb.js';
export * from './gen/envoy/type/v3/http_status_pb.js';
export * from './gen/envoy/type/v3/percent_pb.js';
export * from './gen/envoy/type/v3/range_pb.js';
export * from './gen/envoy/type/v3/semantic_version_pb.js';
export * from './gen/envoy/type/v3/token_bucket_pb.js';
export * from './gen/google/rpc/status_pb.js';

export {
  RetryPolicySchema,
  RetryPolicy_RetryHostPredicateSchema,
  RetryPolicy_RetryPrioritySchema,
} from './gen/envoy/config/route/v3/route_components_pb.js';
export type {
  RetryPolicy,
  RetryPolicy_RetryHostPredicate,
  RetryPolicy_RetryPriority,
} from './gen/envoy/config/route/v3/route_components_pb.js';
export { CorsSchema, CorsPolicySchema } from './gen/envoy/extensions/filters/http/cors/v3/cors_pb.js';
export type { Cors, CorsPolicy } from './gen/envoy/extensions/filters/http/cors/v3/cors_pb.js';
export {
  RBACSchema as HttpRbacSchema,
  RBACPerRouteSchema as HttpRbacPerRouteSchema,
} from './gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
export type {
  RBAC as HttpRbac,
  RBACPerRoute as HttpRbacPerRoute,
} from './gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
export { RBACSchema as NetworkRbacSchema } from './gen/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
export type { RBAC as NetworkRbac } from './gen/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
export { ConfigSchema as MtlsAuthenticatedSchema } from './gen/envoy/extensions/rbac/principals/mtls_authenticated/v3/mtls_authenticated_pb.js';
export type { Config as MtlsAuthenticated } from './gen/envoy/extensions/rbac/principals/mtls_authenticated/v3/mtls_authenticated_pb.js';
export {
  HttpProtocolOptionsSchema as UpstreamHttpProtocolOptionsSchema,
  HttpProtocolOptions_ExplicitHttpConfigSchema as UpstreamHttpProtocolOptions_ExplicitHttpConfigSchema,
  HttpProtocolOptions_UseDownstreamHttpConfigSchema as UpstreamHttpProtocolOptions_UseDownstreamHttpConfigSchema,
} from './gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
export type { HttpProtocolOptions as UpstreamHttpProtocolOptions } from './gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
export { TypedStructSchema as UdpaTypedStructSchema } from './gen/udpa/type/v1/typed_struct_pb.js';
export type { TypedStruct as UdpaTypedStruct } from './gen/udpa/type/v1/typed_struct_pb.js';
export { TypedStructSchema as XdsTypedStructSchema } from './gen/xds/type/v3/typed_struct_pb.js';
export type { TypedStruct as XdsTypedStruct } from './gen/xds/type/v3/typed_struct_pb.js';
export { IstioCertificateRequestSchema, IstioCertificateResponseSchema } from './gen/istio-ca_pb.js';
export type { IstioCertificateRequest, IstioCertificateResponse } from './gen/istio-ca_pb.js';
export {
  type Any,
  AnySchema,
  type Duration,
  DurationSchema,
  type Struct,
  StructSchema,
  type Value,
  ValueSchema,
  type Timestamp,
  TimestampSchema,
  EmptySchema,
  StringValueSchema,
} from '@bufbuild/protobuf/wkt';
