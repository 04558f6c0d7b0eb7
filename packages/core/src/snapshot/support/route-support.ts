// Fields of routes that are honoured, have no effect here, or are reported.
import type { SupportTable } from './support-walk.js';

const route = 'envoy.config.route.v3';

export const ROUTE_SUPPORT: SupportTable = {
  [`${route}.RouteConfiguration`]: {
    honoured: `name virtual_hosts response_headers_to_add response_headers_to_remove request_headers_to_add request_headers_to_remove
      most_specific_header_mutations_wins max_direct_response_body_size_bytes request_mirror_policies ignore_port_in_host_matching
      typed_per_filter_config`,
    irrelevant: 'validate_clusters metadata vhds',
    consequences: {
      internal_only_headers: 'these headers are not removed from calls',
      ignore_path_parameters_in_path_matching: 'parameters behind ";" stay part of the path',
    },
  },
  [`${route}.VirtualHost`]: {
    honoured: `name domains routes require_tls request_headers_to_add request_headers_to_remove response_headers_to_add
      response_headers_to_remove typed_per_filter_config retry_policy request_mirror_policies include_request_attempt_count
      include_attempt_count_in_response`,
    // Virtual clusters are statistics.
    irrelevant: 'virtual_clusters metadata per_request_buffer_limit_bytes request_body_buffer_limit',
    consequences: {
      rate_limits: 'no descriptors are made for rate limits of the virtual host',
      hedge_policy: 'calls are not hedged',
    },
  },
  [`${route}.Route`]: {
    honoured: `name match route redirect direct_response non_forwarding_action filter_action metadata typed_per_filter_config
      request_headers_to_add request_headers_to_remove response_headers_to_add response_headers_to_remove`,
    irrelevant: 'decorator stat_prefix per_request_buffer_limit_bytes request_body_buffer_limit tracing',
  },
  [`${route}.RouteMatch`]: {
    honoured: `prefix path safe_regex connect_matcher path_separated_prefix path_match_policy case_sensitive runtime_fraction headers
      query_parameters grpc tls_context dynamic_metadata filter_state`,
  },
  [`${route}.RouteAction`]: {
    honoured: `cluster cluster_header weighted_clusters prefix_rewrite regex_rewrite path_rewrite_policy host_rewrite_literal
      auto_host_rewrite host_rewrite_header host_rewrite_path_regex host_rewrite timeout idle_timeout retry_policy request_mirror_policies
      hash_policy max_stream_duration max_grpc_timeout grpc_timeout_offset`,
    // Upgrades pass where the application speaks them; early data and flushing belong to a proxy's sockets.
    irrelevant:
      'upgrade_configs early_data_policy flush_timeout cluster_not_found_response_code include_vh_rate_limits',
    consequences: {
      metadata_match: 'endpoints are not narrowed down by metadata',
      priority: 'the limits of the default priority hold',
      rate_limits: 'no descriptors are made for rate limits of the route',
      internal_redirect_policy: 'redirects go back to the caller',
      hedge_policy: 'calls are not hedged',
      append_x_forwarded_host: 'x-forwarded-host is not added',
      cors: 'the deprecated CORS field is not read (typed_per_filter_config is)',
      path_rewrite: 'the path is not rewritten by this format',
    },
  },
  [`${route}.RouteAction.MaxStreamDuration`]: {
    honoured: 'max_stream_duration grpc_timeout_header_max grpc_timeout_header_offset',
  },
  [`${route}.RouteAction.RequestMirrorPolicy`]: {
    honoured: 'cluster cluster_header runtime_fraction',
    irrelevant: 'trace_sampled disable_shadow_host_suffix_append',
  },
  [`${route}.WeightedCluster`]: {
    honoured: 'clusters',
    irrelevant: 'total_weight runtime_key_prefix',
    consequences: {
      header_name: 'the cluster is drawn at random, not by this header',
      use_hash_policy: 'the cluster is drawn at random, not by hash',
    },
  },
  [`${route}.WeightedCluster.ClusterWeight`]: {
    honoured: `name cluster_header weight request_headers_to_add request_headers_to_remove response_headers_to_add
      response_headers_to_remove typed_per_filter_config host_rewrite_literal`,
    consequences: { metadata_match: 'endpoints are not narrowed down by metadata' },
  },
  [`${route}.RetryPolicy`]: {
    honoured: `retry_on num_retries per_try_timeout per_try_idle_timeout retry_host_predicate host_selection_retry_max_attempts
      retriable_status_codes retry_back_off`,
    consequences: {
      retry_priority: 'retries stay within the priority that load decides',
      retriable_headers: 'response headers do not cause retries',
      retriable_request_headers: 'retries do not depend on request headers',
      rate_limited_retry_back_off: 'the back-off does not follow reset headers',
      retry_options_predicates: 'these predicates are not evaluated',
    },
  },
  'envoy.config.core.v3.RuntimeFractionalPercent': { honoured: 'default_value', irrelevant: 'runtime_key' },
};
