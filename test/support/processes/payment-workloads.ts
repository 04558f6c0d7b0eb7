// The three ways to say who serves payment-service: a Service with Pods, the same with EndpointSlices, a ServiceEntry with WorkloadEntries.
export interface Instance {
  readonly name: string;
  readonly version: string;
  readonly ip: string;
}

const meta = (name: string, labels?: object) => ({
  name,
  namespace: 'production',
  ...(labels === undefined ? {} : { labels }),
});

function service(targetPort: number): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('payment-service'),
    spec: { selector: { app: 'payment-service' }, ports: [{ name: 'http', port: 8080, targetPort }] },
  };
}

function pod({ name, version, ip }: Instance): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, { app: 'payment-service', version }),
    spec: { serviceAccountName: 'payment-service' },
    status: { podIP: ip },
  };
}

/** Pods that a Service selects. */
export function servedByPods(instances: readonly Instance[], port: number): object[] {
  return [service(port), ...instances.map(pod)];
}

export function servedByEndpointSlices(instances: readonly Instance[], port: number): object[] {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta('payment-service-x7k2p', { 'kubernetes.io/service-name': 'payment-service' }),
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: instances.map(({ name, ip }) => ({
      addresses: [ip],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name, namespace: 'production' },
    })),
  };
  return [...servedByPods(instances, port), slice];
}

export function servedByWorkloadEntries(instances: readonly Instance[], port: number): object[] {
  const entry = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: meta('payment-service'),
    spec: {
      hosts: ['payment-service.production.svc.cluster.local'],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 8080, name: 'http', protocol: 'HTTP', targetPort: port }],
      workloadSelector: { labels: { app: 'payment-service' } },
    },
  };
  const workloads = instances.map(({ name, version, ip }) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    metadata: meta(name),
    spec: { address: ip, labels: { app: 'payment-service', version }, serviceAccount: 'payment-service' },
  }));
  return [entry, ...workloads];
}
