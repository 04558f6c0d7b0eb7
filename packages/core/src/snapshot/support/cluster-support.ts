// Fields of clusters, endpoints and TLS contexts that are honoured, have no effect here, or are reported.
import type { SupportTable } from './support-walk.js';

const cluster = 'envoy.config.cluster.v3';
const endpoint = 'envoy.config.endpoint.v3';
const tls = 'envoy.extensions.transport_sockets.tls.v3';
const upstream = 'envoy.extensions.upstreams.http.v3';

export const CLUSTER_SUPPORT: SupportTable = {
  [`${cluster}.Cluster`]: {
    honoured: `name type cluster_type eds_cluster_config connect_timeout lb_policy load_assignment max_requests_per_connection
      circuit_breakers common_http_protocol_options http2_protocol_options typed_extension_protocol_options outlier_detection
      ring_hash_lb_config maglev_lb_config least_request_lb_config round_robin_lb_config original_dst_lb_config common_lb_config
      transport_socket transport_socket_matches metadata load_balancing_policy`,
    // Statistics, DNS details of a proxy, socket buffers, upstream filters that exchange metadata, warming.
    irrelevant: `alt_stat_name per_connection_buffer_limit_bytes dns_refresh_rate dns_jitter dns_failure_refresh_rate respect_dns_ttl
      dns_lookup_family dns_resolvers use_tcp_for_dns_lookups dns_resolution_config typed_dns_resolver_config wait_for_warm_on_init
      cleanup_interval track_timeout_budgets track_cluster_stats http_protocol_options filters upstream_connection_options
      protocol_selection preconnect_policy close_connections_on_host_health_failure ignore_health_on_host_removal lrs_server
      lrs_report_endpoint_metrics`,
    consequences: {
      health_checks: 'endpoints are not probed; health comes from the feed and from outlier detection',
      lb_subset_config: 'endpoints are not divided into subsets',
      upstream_bind_config: 'the local address of connections is not set',
      connection_pool_per_downstream_connection: 'connections are shared by all calls',
    },
  },
  [`${cluster}.Cluster.CommonLbConfig`]: {
    honoured: 'healthy_panic_threshold locality_weighted_lb_config',
    irrelevant:
      'update_merge_window close_connections_on_host_set_change ignore_new_hosts_until_first_hc zone_aware_lb_config',
  },
  [`${cluster}.Cluster.LeastRequestLbConfig`]: {
    honoured: 'choice_count active_request_bias',
    consequences: { slow_start_config: 'new endpoints get their full share at once' },
  },
  [`${cluster}.Cluster.RoundRobinLbConfig`]: {
    honoured: '',
    consequences: { slow_start_config: 'new endpoints get their full share at once' },
  },
  [`${cluster}.CircuitBreakers`]: {
    honoured: 'thresholds',
    consequences: { per_host_thresholds: 'no limits hold for single endpoints' },
  },
  [`${cluster}.CircuitBreakers.Thresholds`]: {
    honoured: 'priority max_connections max_pending_requests max_requests max_retries',
    irrelevant: 'track_remaining max_connection_pools',
    consequences: { retry_budget: 'max_retries holds instead of the budget' },
  },
  [`${cluster}.OutlierDetection`]: {
    honoured: `consecutive_5xx interval base_ejection_time max_ejection_percent enforcing_consecutive_5xx enforcing_success_rate
      success_rate_minimum_hosts success_rate_request_volume success_rate_stdev_factor consecutive_gateway_failure
      enforcing_consecutive_gateway_failure split_external_local_origin_errors consecutive_local_origin_failure
      enforcing_consecutive_local_origin_failure failure_percentage_threshold enforcing_failure_percentage
      failure_percentage_minimum_hosts failure_percentage_request_volume max_ejection_time max_ejection_time_jitter
      always_eject_one_host`,
    irrelevant: 'successful_active_health_check_uneject_host',
    consequences: {
      enforcing_local_origin_success_rate: 'success rates do not tell local failures apart',
      enforcing_failure_percentage_local_origin: 'failure percentages do not tell local failures apart',
      monitors: 'these monitors are not run',
    },
  },
  [`${endpoint}.ClusterLoadAssignment`]: { honoured: 'cluster_name endpoints policy' },
  [`${endpoint}.ClusterLoadAssignment.Policy`]: {
    honoured: 'overprovisioning_factor',
    irrelevant: 'endpoint_stale_after',
    consequences: { drop_overloads: 'no calls are dropped on behalf of the feed' },
  },
  [`${endpoint}.LbEndpoint`]: {
    honoured: 'endpoint endpoint_name health_status metadata load_balancing_weight',
  },
  [`${endpoint}.Endpoint`]: {
    honoured: 'address hostname',
    irrelevant: 'health_check_config',
    consequences: { additional_addresses: 'only the first address is dialled' },
  },
  [`${upstream}.HttpProtocolOptions`]: {
    honoured: 'common_http_protocol_options explicit_http_config use_downstream_protocol_config',
    irrelevant: 'upstream_http_protocol_options header_validation_config',
    consequences: { auto_config: 'HTTP/1.1 is used; the version is not negotiated' },
  },
  'envoy.config.core.v3.HttpProtocolOptions': {
    honoured: 'idle_timeout max_requests_per_connection',
    irrelevant: 'max_headers_count max_response_headers_kb headers_with_underscores_action',
    consequences: { max_connection_duration: 'connections are not closed for their age alone' },
  },
  [`${tls}.UpstreamTlsContext`]: {
    honoured: 'common_tls_context sni',
    irrelevant: 'allow_renegotiation max_session_keys enforce_rsa_key_usage',
    consequences: {
      auto_host_sni: 'the server name is not taken from the host',
      auto_sni_san_validation: 'the peer is not checked against the server name beyond the configured names',
    },
  },
  [`${tls}.CommonTlsContext`]: {
    honoured: `tls_params tls_certificates tls_certificate_sds_secret_configs tls_certificate_provider_instance
      tls_certificate_certificate_provider_instance validation_context validation_context_sds_secret_config
      combined_validation_context validation_context_certificate_provider_instance alpn_protocols custom_handshaker`,
    irrelevant: 'key_log',
  },
  [`${tls}.TlsParameters`]: {
    honoured: 'tls_minimum_protocol_version tls_maximum_protocol_version cipher_suites',
    consequences: {
      ecdh_curves: "Node's own curves are offered",
      signature_algorithms: "Node's own algorithms are offered",
    },
  },
  [`${tls}.CertificateValidationContext`]: {
    honoured: `trusted_ca ca_certificate_provider_instance system_root_certs verify_certificate_hash verify_certificate_spki
      match_typed_subject_alt_names match_subject_alt_names crl custom_validator_config`,
    irrelevant: 'watched_directory',
    consequences: {
      allow_expired_certificate: 'expired certificates are refused all the same',
      trust_chain_verification: 'chains are always verified',
      max_verify_depth: "the depth of chains is limited by Node's default",
    },
  },
  [`${tls}.DownstreamTlsContext`]: {
    honoured: 'common_tls_context require_client_certificate',
    irrelevant: `session_ticket_keys session_ticket_keys_sds_secret_config disable_stateless_session_resumption
      disable_stateful_session_resumption session_timeout ocsp_staple_policy full_scan_certs_on_sni_mismatch prefer_client_ciphers`,
    consequences: { require_sni: 'clients without a server name are let in' },
  },
};
