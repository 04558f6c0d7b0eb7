// One function a kind: `virtualService({ metadata: { name: 'reviews' }, spec: { … } })` gives the object that the same YAML would.
// Every function throws InvalidObjectError for a literal that breaks the kind's schema.
import type { ConfigObject } from '../model/config-object.js';
import type { PodStatus } from '../schema/kubernetes-types.js';
import type { KindName, SpecTypes } from '../schema/spec-types.js';
import type { ObjectInput, ObjectName } from './build-object.js';
import { buildObject } from './build-object.js';

/** Makes an object of one kind out of its metadata and spec. */
export type Builder<K extends KindName> = (input: ObjectInput<SpecTypes[K]>) => ConfigObject;

const builder =
  <K extends KindName>(kind: K): Builder<K> =>
  (input) =>
    buildObject(kind, input);

export const virtualService = builder('VirtualService');
export const destinationRule = builder('DestinationRule');
export const serviceEntry = builder('ServiceEntry');
export const workloadEntry = builder('WorkloadEntry');
export const workloadGroup = builder('WorkloadGroup');
export const sidecar = builder('Sidecar');
/** Istio's Gateway; Gateway API's is `kubernetesGateway`. */
export const gateway = builder('Gateway');
export const envoyFilter = builder('EnvoyFilter');
export const proxyConfig = builder('ProxyConfig');
export const peerAuthentication = builder('PeerAuthentication');
export const requestAuthentication = builder('RequestAuthentication');
export const authorizationPolicy = builder('AuthorizationPolicy');
export const telemetry = builder('Telemetry');
export const wasmPlugin = builder('WasmPlugin');

export const httpRoute = builder('HTTPRoute');
export const grpcRoute = builder('GRPCRoute');
export const tcpRoute = builder('TCPRoute');
export const tlsRoute = builder('TLSRoute');
export const kubernetesGateway = builder('KubernetesGateway');
export const gatewayClass = builder('KubernetesGatewayClass');
export const referenceGrant = builder('ReferenceGrant');
export const backendTlsPolicy = builder('BackendTLSPolicy');

export const service = builder('Service');
/** An EndpointSlice has no spec in YAML; here its addressType, endpoints and ports are given as `spec`. */
export const endpointSlice = builder('EndpointSlice');

/** A Pod counts as an endpoint by the addresses and conditions of its status. */
export function pod(input: ObjectInput<SpecTypes['Pod']> & { readonly status?: PodStatus | undefined }): ConfigObject {
  return buildObject('Pod', input);
}

export function namespace(input: { readonly metadata: ObjectName }): ConfigObject {
  return buildObject('Namespace', input);
}

export function serviceAccount(input: { readonly metadata: ObjectName }): ConfigObject {
  return buildObject('ServiceAccount', input);
}
