// The type URLs that Heddle meets on the wire, by what they are for.
const prefix = 'type.googleapis.com/';
const filters = `${prefix}envoy.extensions.filters.`;
const sockets = `${prefix}envoy.extensions.transport_sockets.`;

/** Resources that a feed delivers. */
export const LISTENER_TYPE_URL = `${prefix}envoy.config.listener.v3.Listener`;
export const ROUTE_TYPE_URL = `${prefix}envoy.config.route.v3.RouteConfiguration`;
export const CLUSTER_TYPE_URL = `${prefix}envoy.config.cluster.v3.Cluster`;
export const ENDPOINT_TYPE_URL = `${prefix}envoy.config.endpoint.v3.ClusterLoadAssignment`;
export const SECRET_TYPE_URL = `${prefix}envoy.extensions.transport_sockets.tls.v3.Secret`;

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
export const HTTP_CONNECTION_MANAGER_TYPE_URL = `${filters}network.http_connection_manager.v3.HttpConnectionManager`;
export const TCP_PROXY_TYPE_URL = `${filters}network.tcp_proxy.v3.TcpProxy`;
export const NETWORK_RBAC_TYPE_URL = `${filters}network.rbac.v3.RBAC`;

/** HTTP filters. */
export const ROUTER_TYPE_URL = `${filters}http.router.v3.Router`;
export const FAULT_TYPE_URL = `${filters}http.fault.v3.HTTPFault`;
export const RBAC_TYPE_URL = `${filters}http.rbac.v3.RBAC`;
export const RBAC_PER_ROUTE_TYPE_URL = `${filters}http.rbac.v3.RBACPerRoute`;
export const JWT_AUTHN_TYPE_URL = `${filters}http.jwt_authn.v3.JwtAuthentication`;
export const LOCAL_RATE_LIMIT_TYPE_URL = `${filters}http.local_ratelimit.v3.LocalRateLimit`;
export const CORS_TYPE_URL = `${filters}http.cors.v3.Cors`;
export const CORS_POLICY_TYPE_URL = `${filters}http.cors.v3.CorsPolicy`;

/** Listener filters and transport sockets. */
export const TLS_INSPECTOR_TYPE_URL = `${filters}listener.tls_inspector.v3.TlsInspector`;
export const UPSTREAM_TLS_TYPE_URL = `${sockets}tls.v3.UpstreamTlsContext`;
export const DOWNSTREAM_TLS_TYPE_URL = `${sockets}tls.v3.DownstreamTlsContext`;
export const RAW_BUFFER_TYPE_URL = `${sockets}raw_buffer.v3.RawBuffer`;

/** Cluster options, and the two envelopes that carry untyped configuration (EnvoyFilter patches use them). */
export const UPSTREAM_HTTP_OPTIONS_TYPE_URL = `${prefix}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`;
export const UDPA_TYPED_STRUCT_TYPE_URL = `${prefix}udpa.type.v1.TypedStruct`;
export const XDS_TYPED_STRUCT_TYPE_URL = `${prefix}xds.type.v3.TypedStruct`;
