// The workload that configuration is translated for: what istiod calls the proxy.

export interface Workload {
  readonly namespace: string;
  /** Pod name or a name made from the service; for display. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Addresses of this instance; may be empty (then inbound services are found by labels alone). */
  readonly addresses: readonly string[];
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly clusterId: string;
  /** `cluster.local` unless the mesh says otherwise. */
  readonly trustDomain: string;
  /** Domain of Kubernetes services, `cluster.local`. */
  readonly clusterDomain: string;
}
