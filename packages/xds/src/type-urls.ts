// The type URLs that Heddle meets on the wire, by what they are for.
const prefix = 'type.googleapis.com/' as const;
const filters = `${prefix}envoy.extensions.filters.` as const;
const sockets = `${prefix}envoy.extensions.transport_sockets.` as const;

/** Resources that a feed delivers. */
export const LISTENER_TYPE_URL = `${prefix}envoy.config.listener.v3.Listener` as const;
export const ROUTE_TYPE_URL = `${prefix}envoy.config.route.v3.RouteConfiguration` as const;
export const CLUSTER_TYPE_URL = `${prefix}envoy.config.cluster.v3.Cluster` as const;
export const ENDPOINT_TYPE_URL = `${prefix}envoy.config.endpoint.v3.ClusterLoadAssignment` as const;
export const SECRET_TYPE_URL = `${prefix}envoy.extensions.transport_sockets.tls.v3.Secret` as const;

/** The resource types of a feed, in make-before-break order (Envoy: xDS protocol, "eventual consistency considerations"). */
export const RESOURCE_TYPE_URLS = [
  CLUSTER_TYPE_URL,
  ENDPOINT_TYPE_URL,
  LISTENER_TYPE_URL,
  ROUTE_TYPE_URL,
  SECRET_TYPE_URL,
] as const;
export type ResourceTypeUrl = (typeof RESOURCE_TYPE_URLS)[number];

/** Network filters. */
export const HTTP_CONNECTION_MANAGER_TYPE_URL =
  `${filters}network.http_connection_manager.v3.HttpConnectionManager` as const;
export const TCP_PROXY_TYPE_URL = `${filters}network.tcp_proxy.v3.TcpProxy` as const;
export const NETWORK_RBAC_TYPE_URL = `${filters}network.rbac.v3.RBAC` as const;

/** HTTP filters. */
export const ROUTER_TYPE_URL = `${filters}http.router.v3.Router` as const;
export const FAULT_TYPE_URL = `${filters}http.fault.v3.HTTPFault` as const;
export const RBAC_TYPE_URL = `${filters}http.rbac.v3.RBAC` as const;
export const RBAC_PER_ROUTE_TYPE_URL = `${filters}http.rbac.v3.RBACPerRoute` as const;
export const JWT_AUTHN_TYPE_URL = `${filters}http.jwt_authn.v3.JwtAuthentication` as const;
export const LOCAL_RATE_LIMIT_TYPE_URL = `${filters}http.local_ratelimit.v3.LocalRateLimit` as const;
export const CORS_TYPE_URL = `${filters}http.cors.v3.Cors` as const;
export const CORS_POLICY_TYPE_URL = `${filters}http.cors.v3.CorsPolicy` as const;

/** Listener filters and transport sockets. */
export const TLS_INSPECTOR_TYPE_URL = `${filters}listener.tls_inspector.v3.TlsInspector` as const;
export const UPSTREAM_TLS_TYPE_URL = `${sockets}tls.v3.UpstreamTlsContext` as const;
export const DOWNSTREAM_TLS_TYPE_URL = `${sockets}tls.v3.DownstreamTlsContext` as const;
export const RAW_BUFFER_TYPE_URL = `${sockets}raw_buffer.v3.RawBuffer` as const;

/** Cluster options, and the two envelopes that carry untyped configuration (EnvoyFilter patches use them). */
export const UPSTREAM_HTTP_OPTIONS_TYPE_URL =
  `${prefix}envoy.extensions.upstreams.http.v3.HttpProtocolOptions` as const;
export const UDPA_TYPED_STRUCT_TYPE_URL = `${prefix}udpa.type.v1.TypedStruct` as const;
export const XDS_TYPED_STRUCT_TYPE_URL = `${prefix}xds.type.v3.TypedStruct` as const;
