// A service of the mesh, whatever declared it: a Kubernetes Service or a host of a ServiceEntry.
import type { ConfigObject } from '../model/config-object.js';
import type { PortProtocol } from './port-protocol.js';

export interface MeshPort {
  readonly name: string;
  readonly number: number;
  readonly protocol: PortProtocol;
  /** Port of the endpoint, or the name of a container port. */
  readonly targetPort: number | string;
}

/** How endpoints are found: known addresses, DNS (all answers, or one at a time), or wherever the caller dialled. */
export type Resolution = 'endpoints' | 'dns' | 'dns-round-robin' | 'passthrough';

export interface MeshService {
  /** Full host name in lower case; may be a wildcard for ServiceEntry. */
  readonly host: string;
  readonly namespace: string;
  readonly name: string;
  readonly registry: 'kubernetes' | 'external';
  readonly resolution: Resolution;
  /** Outside the mesh: never spoken to with mesh identities. */
  readonly external: boolean;
  readonly headless: boolean;
  /** Virtual addresses. Empty when there are none. */
  readonly addresses: readonly string[];
  readonly ports: readonly MeshPort[];
  /** `*`, `.` or namespaces. */
  readonly exportTo: readonly string[];
  /** Labels of its workloads; undefined when endpoints are listed instead. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** Host that this one is another name for (ExternalName). */
  readonly aliasOf: string | undefined;
  readonly publishNotReady: boolean;
  /** Names that the certificates of its endpoints may have besides their identities (ServiceEntry). */
  readonly subjectAltNames: readonly string[];
  readonly object: ConfigObject;
}

export function portNumbered(service: MeshService, number: number): MeshPort | undefined {
  return service.ports.find((port) => port.number === number);
}
