// The workload that an xDS node stands for, as istiod reads it: the id, the node's locality and Istio's metadata.
import type { FeedNode } from '@heddle/xds';
import type { Workload } from '../model/workload.js';
import { DEFAULT_MESH_SETTINGS, type MeshSettings } from '../view/mesh-settings.js';
import type { MeshView } from '../view/mesh-view.js';
import { servedPorts } from '../view/workload-services.js';

/** Reads `sidecar~IP~POD.NAMESPACE~DOMAIN` and NAMESPACE, LABELS, SERVICE_ACCOUNT, CLUSTER_ID, INSTANCE_IPS. Never throws. */
export function workloadOf(node: FeedNode, settings: MeshSettings = DEFAULT_MESH_SETTINGS): Workload {
  const [, ip = '', instance = '', domain = ''] = node.id.split('~');
  const dot = instance.lastIndexOf('.');
  const { metadata } = node;
  const namespace = textOf(metadata['NAMESPACE']) ?? (domain.split('.')[0] || instance.slice(dot + 1) || 'default');
  const stated = (textOf(metadata['INSTANCE_IPS']) ?? '').split(',').map((address) => address.trim());
  const addresses = [...new Set([...stated, ip])].filter((address) => address !== '' && address !== '0.0.0.0');
  return {
    namespace,
    name: dot < 0 ? instance : instance.slice(0, dot),
    labels: labelsOf(metadata['LABELS']),
    serviceAccount: textOf(metadata['SERVICE_ACCOUNT']) ?? 'default',
    addresses,
    locality: node.locality,
    clusterId: textOf(metadata['CLUSTER_ID']) ?? 'Kubernetes',
    trustDomain: settings.trustDomain,
    clusterDomain: settings.clusterDomain,
  };
}

/**
 * Workloads with equal keys get equal resources from one view. With the view, workloads that differ only by address but serve
 * the same ports share a key; without it the addresses are part of it. Names and service accounts shape no resource.
 */
export function workloadClassKey(workload: Workload, view?: MeshView): string {
  const labels = Object.entries(workload.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const { region, zone, subZone } = workload.locality;
  const inbound =
    view === undefined
      ? [...workload.addresses].sort()
      : servedPorts(view, workload).map(({ service, port, targetPort }) => [
          service.namespace,
          service.host,
          port.number,
          targetPort,
        ]);
  return JSON.stringify([workload.namespace, labels, region, zone, subZone, workload.clusterId, inbound]);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
