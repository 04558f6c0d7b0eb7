// How a cluster secures its connections: automatic mutual TLS for endpoints that speak it, or what a DestinationRule states.
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType,
  type TransportSocket,
  TransportSocketSchema,
  UpstreamHttpProtocolOptionsSchema,
  RAW_BUFFER_TYPE_URL,
  create,
  packAny,
  unpackAny,
} from '@heddle/xds';
import type { MeshEndpoint } from '../../view/endpoints.js';
import type { MeshService } from '../../view/mesh-service.js';
import type { ClientTlsSpec } from '../../view/spec/istio.js';
import { HTTP_OPTIONS, explicitHttp1 } from './connection-pool.js';
import type { PortInputs } from './port-inputs.js';
import { istioMutualSocket, originatedSocket } from './tls-context.js';
import type { PortPolicy } from './traffic-policy.js';

interface TlsTraits {
  readonly subset: string;
  readonly http2: boolean;
  readonly trustDomain: string;
}

export function applyUpstreamTls(cluster: Cluster, inputs: PortInputs, policy: PortPolicy, traits: TlsTraits): void {
  const { service, port } = inputs;
  const sni = `outbound_.${port.number}_.${traits.subset}_.${service.host}`;
  const identities = [
    ...new Set([...peerIdentities(inputs.endpoints, traits.trustDomain), ...service.subjectAltNames]),
  ].sort();
  const tls = policy.tls;
  switch (tls?.mode) {
    case 'ISTIO_MUTUAL':
      cluster.transportSocket = istioMutualSocket({
        subjectAltNames: tls.subjectAltNames ?? identities,
        sni: tls.sni ?? sni,
        http2: traits.http2,
      });
      return;
    case 'SIMPLE':
    case 'MUTUAL':
      return applyOriginatedTls(cluster, { ...tls, subjectAltNames: originatedNames(tls, service) }, traits.http2);
    case 'DISABLE':
      return;
    case undefined:
      if (service.external || service.resolution === 'passthrough' || inputs.plain) return;
      cluster.transportSocketMatches = automatic(
        istioMutualSocket({ subjectAltNames: identities, sni, http2: traits.http2 }),
      );
  }
}

/** SPIFFE identities of all service accounts that serve, each once. */
export function peerIdentities(endpoints: readonly MeshEndpoint[], trustDomain: string): readonly string[] {
  const names = new Set<string>();
  for (const { instance } of endpoints) {
    if (instance.serviceAccount === '') continue;
    names.add(`spiffe://${trustDomain}/ns/${instance.namespace}/sa/${instance.serviceAccount}`);
  }
  return [...names].sort();
}

function automatic(mutual: TransportSocket): Cluster['transportSocketMatches'] {
  const plain = create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.raw_buffer',
    configType: { case: 'typedConfig', value: { typeUrl: RAW_BUFFER_TYPE_URL } },
  });
  return create(ClusterSchema, {
    transportSocketMatches: [
      { name: 'tlsMode-istio', match: { tlsMode: 'istio' }, transportSocket: mutual },
      { name: 'tlsMode-disabled', match: {}, transportSocket: plain },
    ],
  }).transportSocketMatches;
}

/** The rule's names, else those of the ServiceEntry (Istio: constructUpstreamTLS). */
function originatedNames(tls: ClientTlsSpec, service: MeshService): readonly string[] {
  const stated = tls.subjectAltNames ?? [];
  return stated.length === 0 ? service.subjectAltNames : stated;
}

function applyOriginatedTls(cluster: Cluster, tls: ClientTlsSpec, http2: boolean): void {
  const socket = originatedSocket(tls, http2);
  // A context that cannot be built must not fall back to plain text: without certificate files nothing is sent.
  if (socket === undefined) {
    cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.STATIC };
    cluster.edsClusterConfig = undefined;
    return;
  }
  cluster.transportSocket = socket;
  if (tls.sni !== undefined) return;
  const packed = cluster.typedExtensionProtocolOptions[HTTP_OPTIONS];
  const options =
    unpackAny(UpstreamHttpProtocolOptionsSchema, packed) ??
    create(UpstreamHttpProtocolOptionsSchema, { upstreamProtocolOptions: explicitHttp1() });
  const validates = (tls.subjectAltNames ?? []).length === 0 && tls.insecureSkipVerify !== true;
  options.upstreamHttpProtocolOptions = create(UpstreamHttpProtocolOptionsSchema, {
    upstreamHttpProtocolOptions: { autoSni: true, autoSanValidation: validates },
  }).upstreamHttpProtocolOptions;
  cluster.typedExtensionProtocolOptions = { [HTTP_OPTIONS]: packAny(UpstreamHttpProtocolOptionsSchema, options) };
}
