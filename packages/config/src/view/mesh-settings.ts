// What Istio keeps in MeshConfig and translation needs. A feed without a control plane has no MeshConfig: these are its defaults.

export interface MeshSettings {
  /** Namespace whose policies hold for the whole mesh. Default `istio-system`. */
  readonly rootNamespace: string;
  /** Default `cluster.local`. */
  readonly trustDomain: string;
  /** Former trust domains that count as the own one. Default none. */
  readonly trustDomainAliases: readonly string[];
  /** Domain of Kubernetes services. Default `cluster.local`. */
  readonly clusterDomain: string;
  /** Where calls to unknown hosts go, unless a Sidecar says otherwise. Default `ALLOW_ANY`. */
  readonly outboundTrafficPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY';
  /** Default 10,000 (MeshConfig.connectTimeout). */
  readonly connectTimeoutMs: number;
}

export const DEFAULT_MESH_SETTINGS: MeshSettings = Object.freeze({
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  trustDomainAliases: [],
  clusterDomain: 'cluster.local',
  outboundTrafficPolicy: 'ALLOW_ANY',
  connectTimeoutMs: 10_000,
});
