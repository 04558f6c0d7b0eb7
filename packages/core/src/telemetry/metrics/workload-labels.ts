// The eight labels that describe one side of a call, but for the principal: this workload's own, and a peer's from what it says of itself.

export interface WorkloadLabels {
  readonly workload: string;
  readonly namespace: string;
  readonly app: string;
  readonly version: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  readonly cluster: string;
}

/** What is known of this workload. */
export interface TelemetryNode {
  readonly workload: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Never empty: Kiali drops series of a known namespace without a cluster. Istio's default is `Kubernetes`. */
  readonly clusterId: string;
  readonly trustDomain: string;
  /** Heddle's own version, the `tag` of istio_build. */
  readonly version?: string | undefined;
  /** xDS node id (`sidecar~10.0.0.1~pod.ns~ns.svc.cluster.local`); made of workload and namespace when absent. */
  readonly nodeId?: string | undefined;
  readonly meshId?: string | undefined;
}

/** The id by which this workload is known to its feed and its peers. */
export function nodeIdOf(node: TelemetryNode): string {
  return node.nodeId ?? `${node.workload}.${node.namespace}`;
}

const UNKNOWN = 'unknown';

/** Nothing known of the peer. */
export const UNKNOWN_WORKLOAD: WorkloadLabels = {
  workload: UNKNOWN,
  namespace: UNKNOWN,
  app: UNKNOWN,
  version: UNKNOWN,
  canonicalService: UNKNOWN,
  canonicalRevision: 'latest',
  cluster: UNKNOWN,
};

/** Own labels: a missing one is empty, not `unknown`; canonical ones are filled in as Istio's injector does. */
export function ownWorkloadLabels(node: TelemetryNode): WorkloadLabels {
  const { labels } = node;
  return {
    workload: node.workload,
    namespace: node.namespace,
    app: labels['app'] ?? '',
    version: labels['version'] ?? '',
    canonicalService: canonicalServiceOf(labels) ?? node.workload,
    canonicalRevision: canonicalRevisionOf(labels) ?? 'latest',
    cluster: node.clusterId,
  };
}

/** `workload;namespace;canonical-name;canonical-revision;cluster` of an endpoint's metadata (Istio: filter_metadata.istio.workload). */
export function endpointWorkloadLabels(text: string): WorkloadLabels {
  const [workload, namespace, canonicalService, canonicalRevision, cluster] = text.split(';');
  return {
    workload: workload || UNKNOWN,
    namespace: namespace || UNKNOWN,
    app: UNKNOWN,
    version: UNKNOWN,
    canonicalService: canonicalService || UNKNOWN,
    canonicalRevision: canonicalRevision || 'latest',
    cluster: cluster || UNKNOWN,
  };
}

export function canonicalServiceOf(labels: Readonly<Record<string, string>>): string | undefined {
  return labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'];
}

export function canonicalRevisionOf(labels: Readonly<Record<string, string>>): string | undefined {
  return labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version'] ?? labels['version'];
}
