// Fields of listeners, filter chains and connection managers that are honoured, have no effect here, or are reported.
import type { SupportTable } from './support-walk.js';

const listener = 'envoy.config.listener.v3';
const manager = 'envoy.extensions.filters.network.http_connection_manager.v3';

export const LISTENER_SUPPORT: SupportTable = {
  [`${listener}.Listener`]: {
    honoured:
      'name address filter_chains default_filter_chain api_listener traffic_direction filter_chain_matcher metadata',
    // Sockets, interception and inspection of a proxy: the process listens where the application says.
    irrelevant: `stat_prefix use_original_dst per_connection_buffer_limit_bytes deprecated_v1 drain_type listener_filters
      listener_filters_timeout continue_on_listener_filters_timeout transparent freebind socket_options tcp_fast_open_queue_length
      connection_balance_config reuse_port enable_reuse_port access_log tcp_backlog_size max_connections_to_accept_per_socket_event
      bind_to_port enable_mptcp ignore_global_conn_limit bypass_overload_manager additional_addresses`,
  },
  [`${listener}.FilterChain`]: {
    honoured: 'filter_chain_match filters transport_socket name',
    irrelevant: 'metadata transport_socket_connect_timeout',
    consequences: { use_proxy_proto: 'the PROXY protocol is not read' },
  },
  [`${manager}.HttpConnectionManager`]: {
    honoured: `rds route_config scoped_routes http_filters forward_client_cert_details normalize_path merge_slashes
      path_with_escaped_slashes_action stat_prefix`,
    irrelevant: `codec_type add_user_agent tracing http_protocol_options http2_protocol_options http3_protocol_options server_name
      server_header_transformation scheme_header_transformation access_log access_log_flush_interval flush_access_log_on_new_request
      access_log_options use_remote_address xff_num_trusted_hops skip_xff_append via generate_request_id
      preserve_external_request_id always_set_request_id_in_response set_current_client_cert_details proxy_100_continue
      represent_ipv4_remote_address_as_ipv4_mapped_ipv6 upgrade_configs request_id_extension stream_error_on_invalid_http_message
      proxy_status_config internal_address_config drain_timeout delayed_close_timeout stream_idle_timeout stream_flush_timeout
      common_http_protocol_options append_x_forwarded_port append_local_overload add_proxy_protocol_connection_state`,
    consequences: {
      request_timeout: 'requests are not limited in time while they are read',
      request_headers_timeout: "the header timeout of Node's server holds",
      max_request_headers_kb: "the header limit of Node's server holds",
      local_reply_config: 'replies of the mesh keep their form',
      strip_matching_host_port: 'the port stays in the host header',
      strip_any_host_port: 'the port stays in the host header',
      strip_trailing_host_dot: 'a trailing dot stays in the host header',
    },
  },
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy': {
    honoured: 'cluster weighted_clusters tunneling_config',
    irrelevant: `stat_prefix access_log access_log_flush_interval flush_access_log_on_connected access_log_options on_demand
      upstream_connect_mode max_early_data_bytes`,
    consequences: {
      metadata_match: 'endpoints are not narrowed down by metadata',
      idle_timeout: 'idle connections stay open',
      hash_policy: 'endpoints are not chosen by hash',
      max_connect_attempts: 'a connection is attempted once',
      max_downstream_connection_duration: 'connections are not closed for their age',
    },
  },
};
