// Which type the spec of each known kind has. Gateway API's Gateway is `KubernetesGateway`, because Istio has a Gateway too.
import type * as gen from './gen/types.js';
import type { EndpointSliceSpec, PodSpec, ServiceSpec } from './kubernetes-types.js';

export interface SpecTypes {
  readonly AuthorizationPolicy: gen.AuthorizationPolicySpec;
  readonly BackendTLSPolicy: gen.BackendTLSPolicySpec;
  readonly DestinationRule: gen.DestinationRuleSpec;
  readonly EndpointSlice: EndpointSliceSpec;
  readonly EnvoyFilter: gen.EnvoyFilterSpec;
  readonly GRPCRoute: gen.GRPCRouteSpec;
  readonly Gateway: gen.GatewaySpec;
  readonly HTTPRoute: gen.HTTPRouteSpec;
  readonly KubernetesGateway: gen.KubernetesGatewaySpec;
  readonly KubernetesGatewayClass: gen.KubernetesGatewayClassSpec;
  readonly ListenerSet: gen.ListenerSetSpec;
  readonly Namespace: Readonly<Record<string, unknown>>;
  readonly PeerAuthentication: gen.PeerAuthenticationSpec;
  readonly Pod: PodSpec;
  readonly ProxyConfig: gen.ProxyConfigSpec;
  readonly ReferenceGrant: gen.ReferenceGrantSpec;
  readonly RequestAuthentication: gen.RequestAuthenticationSpec;
  readonly Service: ServiceSpec;
  readonly ServiceAccount: Readonly<Record<string, unknown>>;
  readonly ServiceEntry: gen.ServiceEntrySpec;
  readonly Sidecar: gen.SidecarSpec;
  readonly TCPRoute: gen.TCPRouteSpec;
  readonly TLSRoute: gen.TLSRouteSpec;
  readonly Telemetry: gen.TelemetrySpec;
  readonly TrafficExtension: gen.TrafficExtensionSpec;
  readonly UDPRoute: gen.UDPRouteSpec;
  readonly VirtualService: gen.VirtualServiceSpec;
  readonly WasmPlugin: gen.WasmPluginSpec;
  readonly WorkloadEntry: gen.WorkloadEntrySpec;
  readonly WorkloadGroup: gen.WorkloadGroupSpec;
}

export type KindName = keyof SpecTypes;
