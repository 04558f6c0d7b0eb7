// Support by kind: the fields that translation honours, and the kinds that it does nothing with.
import type { KindName } from '../../schema/spec-types.js';
import type { AnyHonoured } from './honoured-fields.js';
import {
  authorizationPolicyFields,
  destinationRuleFields,
  envoyFilterFields,
  peerAuthenticationFields,
} from './policy-kinds.js';
import {
  httpRouteFields,
  serviceEntryFields,
  sidecarFields,
  virtualServiceFields,
  workloadEntryFields,
} from './traffic-kinds.js';

/** What becomes of objects of a kind. */
export type KindSupport =
  | { readonly fields: AnyHonoured }
  /** Only these fields count; the kind is Kubernetes' own and most of it is not about the mesh. */
  | { readonly unsupported: Readonly<Record<string, string>> }
  /** Not translated; the text says what happens without it. */
  | { readonly notYet: string }
  /** For gateways and the like: nothing is missing in a service. */
  | { readonly isFor: string }
  | 'read';

const straight = 'connections go to the service as if it were not there';
const extension = 'requests pass without it, also where it would have refused them';

export const kindSupport: Readonly<Record<KindName, KindSupport>> = {
  AuthorizationPolicy: { fields: authorizationPolicyFields },
  BackendTLSPolicy: { notYet: 'connections to the backend have the security of its DestinationRule' },
  DestinationRule: { fields: destinationRuleFields },
  EndpointSlice: 'read',
  EnvoyFilter: { fields: envoyFilterFields },
  GRPCRoute: { notYet: 'calls go to the service as if it were not there' },
  Gateway: { isFor: 'ingress and egress gateways' },
  HTTPRoute: { fields: httpRouteFields },
  KubernetesGateway: { isFor: 'gateways' },
  KubernetesGatewayClass: { isFor: 'gateways' },
  ListenerSet: { isFor: 'gateways' },
  Namespace: 'read',
  PeerAuthentication: { fields: peerAuthenticationFields },
  Pod: 'read',
  ProxyConfig: { isFor: 'the proxy process of a sidecar' },
  // Routes with a Service parent may name any Service (Istio enforces grants for gateways only).
  ReferenceGrant: { isFor: 'routes of gateways' },
  // `tokens-not-verified` says what becomes of it.
  RequestAuthentication: 'read',
  Service: { unsupported: { trafficDistribution: 'every endpoint is used alike' } },
  ServiceAccount: 'read',
  ServiceEntry: { fields: serviceEntryFields },
  Sidecar: { fields: sidecarFields },
  TCPRoute: { notYet: straight },
  TLSRoute: { notYet: straight },
  Telemetry: { notYet: 'metrics, spans and access logs are as the service itself sets them' },
  TrafficExtension: { notYet: extension },
  UDPRoute: { notYet: 'UDP does not pass the mesh' },
  VirtualService: { fields: virtualServiceFields },
  WasmPlugin: { notYet: extension },
  WorkloadEntry: { fields: workloadEntryFields },
  WorkloadGroup: { isFor: 'machines that register themselves with istiod' },
};
