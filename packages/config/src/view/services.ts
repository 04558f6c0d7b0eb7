// Kubernetes Services and ServiceEntries -> MeshService. Pure: one object in, its services out.
import type { ConfigObject } from '../model/config-object.js';
import { serviceHost } from './host-names.js';
import type { ServiceEntrySpec } from './spec/istio.js';
import type { ServiceSpec } from './spec/kubernetes.js';
import type { MeshPort, MeshService, Resolution } from './mesh-service.js';
import { declaredProtocol, kubernetesPortProtocol } from './port-protocol.js';

/** The service that a Kubernetes Service declares. Without `clusterIP` it is an ordinary service that has no virtual address. */
export function kubernetesService(object: ConfigObject, clusterDomain: string): MeshService {
  const spec = object.spec as ServiceSpec;
  const { name, namespace, annotations } = object.metadata;
  const addresses = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => ip !== '' && ip !== 'None');
  const alias = spec.type === 'ExternalName' ? spec.externalName?.toLowerCase() : undefined;
  return {
    host: serviceHost(name, namespace, clusterDomain),
    namespace,
    name,
    registry: 'kubernetes',
    resolution: alias === undefined ? 'endpoints' : 'dns',
    external: alias !== undefined,
    headless: spec.clusterIP === 'None',
    addresses,
    ports: (spec.ports ?? []).map((port) => kubernetesPort(port)),
    exportTo: exportList(annotations['networking.istio.io/exportTo']?.split(',')),
    selector: spec.selector,
    aliasOf: alias,
    publishNotReady: spec.publishNotReadyAddresses === true,
    subjectAltNames: [],
    object,
  };
}

function kubernetesPort(port: NonNullable<ServiceSpec['ports']>[number]): MeshPort {
  const number = port.port ?? 0;
  return {
    name: port.name ?? '',
    number,
    protocol: kubernetesPortProtocol(port),
    targetPort: port.targetPort ?? number,
  };
}

/** One service for each host of a ServiceEntry. */
export function serviceEntryServices(object: ConfigObject): readonly MeshService[] {
  const spec = object.spec as ServiceEntrySpec;
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name ?? '',
    number: port.number ?? 0,
    protocol: declaredProtocol(port.protocol),
    targetPort: port.targetPort ?? port.number ?? 0,
  }));
  return (spec.hosts ?? []).map((host) => ({
    host: host.toLowerCase(),
    namespace: object.metadata.namespace,
    name: host.toLowerCase(),
    registry: 'external',
    resolution: entryResolution(spec),
    external: spec.location !== 'MESH_INTERNAL',
    headless: false,
    // A CIDR is no address that one could dial or put into a Host header.
    addresses: (spec.addresses ?? []).filter((address) => !address.includes('/')),
    ports,
    exportTo: exportList(spec.exportTo),
    selector: spec.workloadSelector?.labels,
    aliasOf: undefined,
    publishNotReady: false,
    subjectAltNames: spec.subjectAltNames ?? [],
    object,
  }));
}

function entryResolution(spec: ServiceEntrySpec): Resolution {
  switch (spec.resolution ?? 'NONE') {
    case 'STATIC':
      return 'endpoints';
    case 'DNS':
      return 'dns';
    case 'DNS_ROUND_ROBIN':
      return 'dns-round-robin';
    case 'NONE':
    case 'DYNAMIC_DNS':
      return 'passthrough';
  }
}

function exportList(exportTo: readonly string[] | undefined): readonly string[] {
  const list = (exportTo ?? []).map((name) => name.trim()).filter((name) => name !== '');
  return list.length === 0 ? ['*'] : list;
}
