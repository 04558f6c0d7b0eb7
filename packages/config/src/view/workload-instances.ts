// Workload instances: Pods, WorkloadEntries and the endpoints written inside a ServiceEntry, in one shape.
import type { ConfigObject } from '../model/config-object.js';
import type { ServiceEntrySpec, WorkloadEntrySpec } from './spec/istio.js';
import type { PodSpec, PodStatus } from './spec/kubernetes.js';

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** What an instance says itself about mutual TLS; `unstated` leaves it to policy (ADR 0005). */
export type StatedTls = 'istio' | 'plain' | 'unstated';

export interface WorkloadInstance {
  readonly kind: 'Pod' | 'WorkloadEntry' | 'Address';
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `default` where a Pod names none; empty when unknown. */
  readonly serviceAccount: string;
  /** IP addresses or, for DNS services, a host name. */
  readonly addresses: readonly string[];
  /** Ports by name: container ports of a Pod, `ports` of a WorkloadEntry. */
  readonly ports: Readonly<Record<string, number>>;
  readonly locality: Locality;
  /** Relative weight, 1 unless stated. */
  readonly weight: number;
  readonly ready: boolean;
  readonly statedTls: StatedTls;
  readonly object: ConfigObject;
}

export const NO_LOCALITY: Locality = Object.freeze({ region: '', zone: '', subZone: '' });
const TLS_MODE_LABEL = 'security.istio.io/tlsMode';
const INJECT = 'sidecar.istio.io/inject';

/** The instance that a Pod is; undefined while it has no address or has ended. `nodes` gives localities by node name. */
export function podInstance(object: ConfigObject, nodes: ReadonlyMap<string, Locality>): WorkloadInstance | undefined {
  const spec = object.spec as PodSpec;
  const status = (object.status ?? {}) as PodStatus;
  const addresses = [...new Set([status.podIP, ...(status.podIPs ?? []).map((entry) => entry.ip)])].filter(
    (ip) => ip !== undefined && ip !== '',
  ) as string[];
  if (addresses.length === 0 || status.phase === 'Succeeded' || status.phase === 'Failed') return undefined;
  const { labels, annotations, name, namespace } = object.metadata;
  const ports = (spec.containers ?? []).flatMap((container) => container.ports ?? []);
  const named = ports.flatMap(({ name: port, containerPort = 0 }) =>
    port === undefined ? [] : [[port, containerPort] as const],
  );
  const readiness = status.conditions?.find((condition) => condition.type === 'Ready');
  return {
    kind: 'Pod',
    name,
    namespace,
    labels,
    serviceAccount: spec.serviceAccountName ?? 'default',
    addresses,
    ports: Object.fromEntries(named),
    locality: labelledLocality(labels) ?? nodes.get(spec.nodeName ?? '') ?? NO_LOCALITY,
    weight: 1,
    ready: readiness === undefined || readiness.status === 'True',
    statedTls: statedTls(labels, annotations),
    object,
  };
}

/** A WorkloadEntry, or an endpoint inside a ServiceEntry (then `name` says which). */
export function entryInstance(spec: WorkloadEntrySpec, object: ConfigObject, name: string): WorkloadInstance {
  const labels = { ...object.metadata.labels, ...spec.labels };
  const stated = statedTls(labels, object.metadata.annotations);
  return {
    kind: 'WorkloadEntry',
    name,
    namespace: object.metadata.namespace,
    labels,
    serviceAccount: spec.serviceAccount ?? '',
    addresses: spec.address === undefined ? [] : [spec.address],
    ports: spec.ports ?? {},
    locality:
      spec.locality === undefined ? (labelledLocality(labels) ?? NO_LOCALITY) : parseLocality(spec.locality, '/'),
    weight: spec.weight ?? 1,
    ready: true,
    // Istio: an entry with a service account runs a proxy unless its label says otherwise.
    statedTls: stated === 'unstated' && spec.serviceAccount !== undefined ? 'istio' : stated,
    object,
  };
}

/** The endpoints written inside a ServiceEntry. A DNS entry without endpoints resolves its own host. */
export function inlineInstances(object: ConfigObject, host: string): readonly WorkloadInstance[] {
  const spec = object.spec as ServiceEntrySpec;
  const dns = spec.resolution === 'DNS' || spec.resolution === 'DNS_ROUND_ROBIN';
  const name = object.metadata.name;
  if ((spec.endpoints ?? []).length === 0) {
    return dns && spec.workloadSelector === undefined
      ? [entryInstance({ address: host }, withoutLabels(object), name)]
      : [];
  }
  return (spec.endpoints ?? []).map((endpoint, index) =>
    entryInstance(endpoint, withoutLabels(object), `${name}-${index}`),
  );
}

// Labels of the ServiceEntry are not labels of its endpoints.
function withoutLabels(object: ConfigObject): ConfigObject {
  return { ...object, metadata: { ...object.metadata, labels: {} } };
}

/** An endpoint address that no Pod and no WorkloadEntry explains. */
export function bareInstance(address: string, object: ConfigObject): WorkloadInstance {
  return { ...entryInstance({ address }, withoutLabels(object), object.metadata.name), kind: 'Address' };
}

/** `region/zone/subzone` or, in a label, `region.zone.subzone`. */
export function parseLocality(text: string, separator: string): Locality {
  const [region = '', zone = '', subZone = ''] = text.split(separator);
  return { region, zone, subZone };
}

/** Locality from the topology labels of a Node or Pod. */
export function labelledLocality(labels: Readonly<Record<string, string>>): Locality | undefined {
  const istio = labels['istio-locality'];
  if (istio !== undefined) return parseLocality(istio, istio.includes('/') ? '/' : '.');
  const region = labels['topology.kubernetes.io/region'];
  const zone = labels['topology.kubernetes.io/zone'];
  if (region === undefined && zone === undefined) return undefined;
  return { region: region ?? '', zone: zone ?? '', subZone: labels['topology.istio.io/subzone'] ?? '' };
}

function statedTls(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>>): StatedTls {
  const label = labels[TLS_MODE_LABEL];
  if (label !== undefined) return label === 'istio' ? 'istio' : 'plain';
  return (labels[INJECT] ?? annotations[INJECT]) === 'false' ? 'plain' : 'unstated';
}

/** Whether every label of the selector is on the workload. An absent or empty selector selects all. */
export function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}
