// The bootstrap that makes a stock Envoy a sidecar of the lab: its node says where inbound and outbound listeners bind.
export interface SidecarNode {
  readonly pod: string;
  readonly serviceAccount: string;
  readonly namespace: string;
  readonly ip: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Port of the inbound listener, and host:port of the application behind it. */
  readonly inbound?: { readonly port: number; readonly app: string };
  /** Address that outbound listeners bind to. */
  readonly outbound?: string;
}

const address = (hostPort: string) => {
  const [host = '', port = ''] = hostPort.split(':');
  return { socket_address: { address: host, port_value: Number(port) } };
};

export function sidecarBootstrap(node: SidecarNode, feed: string, admin: string): object {
  const cluster = (name: string) => ({
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(feed) } }] }],
    },
  });
  const ads = { ads: {}, resource_api_version: 'V3' };
  return {
    node: {
      id: `sidecar~${node.ip}~${node.pod}.${node.namespace}~${node.namespace}.svc.cluster.local`,
      cluster: `${node.serviceAccount}.${node.namespace}`,
      metadata: {
        NAMESPACE: node.namespace,
        CLUSTER_ID: 'Kubernetes',
        ISTIO_VERSION: '1.29.2',
        LABELS: node.labels,
        SERVICE_ACCOUNT: node.serviceAccount,
        LAB_PORT: String(node.inbound?.port ?? ''),
        LAB_APP: node.inbound?.app ?? '',
        LAB_OUTBOUND: node.outbound ?? '',
      },
    },
    admin: { address: address(admin) },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: { clusters: [cluster('xds'), cluster('sds-grpc')] },
  };
}
