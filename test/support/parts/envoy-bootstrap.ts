// The bootstrap of a real Envoy that takes part in a mesh as a sidecar: who it is, the feed, its certificates, and listeners of the test's own.

export interface EnvoyNode {
  readonly ip: string;
  readonly pod: string;
  readonly namespace: string;
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface EnvoyBootstrapOptions {
  readonly node: EnvoyNode;
  /** Ports on 127.0.0.1. */
  readonly feedPort: number;
  readonly secretsPort: number;
  readonly adminPort: number;
  /** `DELTA_GRPC` or, for state of the world, `GRPC`. */
  readonly api?: 'DELTA_GRPC' | 'GRPC';
  /** Takes the listeners of the feed too. They bind to every address, so in a network namespace of its own only. */
  readonly listenersFromFeed?: boolean;
  readonly listeners?: readonly object[];
  readonly clusters?: readonly object[];
}

const typeUrl = (name: string) => `type.googleapis.com/envoy.${name}`;
const address = (host: string, port: number) => ({ socket_address: { address: host, port_value: port } });

/** A cluster of one address. */
export function staticCluster(name: string, host: string, port: number, http2 = false): object {
  const protocols = {
    '@type': typeUrl('extensions.upstreams.http.v3.HttpProtocolOptions'),
    explicit_http_config: { http2_protocol_options: {} },
  };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(host, port) } }] }],
    },
    ...(http2
      ? { typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': protocols } }
      : {}),
  };
}

interface HttpListenerOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What the connection manager has beyond its name: where routes come from, filters. */
  readonly http: object;
  readonly transportSocket?: object;
}

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': typeUrl('extensions.filters.http.router.v3.Router') },
};

export function httpListener({ name, host, port, http, transportSocket }: HttpListenerOptions): object {
  const manager = {
    '@type': typeUrl('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: name,
    http_filters: [router],
    ...http,
  };
  return {
    name,
    address: address(host, port),
    filter_chains: [
      {
        filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
        ...(transportSocket === undefined ? {} : { transport_socket: transportSocket }),
      },
    ],
  };
}

/** Routes of the feed, over the same stream as everything else. */
export const routesOfFeed = (name: string) => ({
  rds: { config_source: { ads: {}, resource_api_version: 'V3' }, route_config_name: name },
});

/** Everything goes to one cluster. */
export const routesTo = (cluster: string) => ({
  route_config: {
    name: cluster,
    virtual_hosts: [{ name: cluster, domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster } }] }],
  },
});

export function envoyBootstrap(options: EnvoyBootstrapOptions): object {
  const { ip, pod, namespace, service, labels } = options.node;
  const ads = { ads: {}, resource_api_version: 'V3' };
  return {
    node: {
      id: `sidecar~${ip}~${pod}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: `${service}.${namespace}`,
      metadata: {
        NAMESPACE: namespace,
        CLUSTER_ID: 'Kubernetes',
        ISTIO_VERSION: '1.29.2',
        SERVICE_ACCOUNT: service,
        LABELS: { 'security.istio.io/tlsMode': 'istio', ...labels },
      },
    },
    admin: { address: address('127.0.0.1', options.adminPort) },
    dynamic_resources: {
      ads_config: {
        api_type: options.api ?? 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'feed' } }],
      },
      cds_config: ads,
      ...(options.listenersFromFeed === true ? { lds_config: ads } : {}),
    },
    static_resources: {
      listeners: options.listeners ?? [],
      clusters: [
        staticCluster('feed', '127.0.0.1', options.feedPort, true),
        // Istio's name for the agent that hands out certificates.
        staticCluster('sds-grpc', '127.0.0.1', options.secretsPort, true),
        ...(options.clusters ?? []),
      ],
    },
  };
}
