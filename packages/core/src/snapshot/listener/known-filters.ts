// Filters that Heddle knows and deliberately does not run, each with the reason, and the ones that must never be skipped.

/** Istio's and Envoy's filters that have nothing to do inside the process. By filter name or type URL. */
export const ISTIO_HTTP_FILTERS: ReadonlyMap<string, string> = new Map([
  [
    'istio.metadata_exchange',
    'peers are known from certificates and endpoint metadata; no exchange headers are needed',
  ],
  ['envoy.filters.http.peer_metadata', 'peers are known from certificates and endpoint metadata'],
  ['istio.peer_metadata', 'peers are known from certificates and endpoint metadata'],
  ['istio.stats', "Istio's metrics are recorded by the mesh itself"],
  ['istio.alpn', 'the transport chooses the ALPN names of each connection'],
  ['istio_authn', 'the peer identity is computed once per connection from its certificate'],
  ['envoy.filters.http.grpc_stats', 'gRPC metrics are recorded by the mesh itself'],
  [
    'envoy.filters.http.grpc_web',
    'browsers do not call through an outbound listener; servers answer gRPC-Web themselves',
  ],
  ['envoy.filters.http.compressor', 'the application compresses its own bodies'],
  ['envoy.filters.http.decompressor', 'the application reads its own bodies'],
  ['envoy.filters.http.connect_authority', 'CONNECT tunnels end at waypoints, not in the process'],
  ['connect_authority', 'CONNECT tunnels end at waypoints, not in the process'],
  ['waypoint_downstream_peer_metadata', 'waypoints only'],
  ['waypoint_upstream_peer_metadata', 'waypoints only'],
]);

/** Network filters of the same kind. */
export const ISTIO_NETWORK_FILTERS: ReadonlyMap<string, string> = new Map([
  ['istio.metadata_exchange', 'TCP metadata exchange feeds telemetry only'],
  ['envoy.filters.network.metadata_exchange', 'TCP metadata exchange feeds telemetry only'],
  ['istio.stats', "Istio's metrics are recorded by the mesh itself"],
  ['istio_authn', 'the peer identity is computed once per connection from its certificate'],
  ['envoy.filters.network.sni_cluster', 'gateways only'],
]);

/**
 * Filters that decide who may do what, and those that run code which may: leaving one out would open what it guards. A filter of these that is unknown
 * refuses the inbound listener unless it is marked is_optional.
 */
const SECURITY =
  /(^|[._])(rbac|jwt_authn|ext_authz|ext_proc|oauth2|basic_auth|api_key_auth|csrf|wasm|lua|golang|dynamic_modules|mcp_authz|credential_injector|client_ssl_auth|geoip|authn|authz)([._]|$)/;

export function isSecurityFilter(name: string, typeUrl: string): boolean {
  return SECURITY.test(name) || SECURITY.test(typeUrl);
}
