// Schemas of what Heddle reads from Kubernetes' own kinds; every other field is allowed and not looked at.
import type { SchemaNode } from './schema-node.js';

const string: SchemaNode = { type: 'string' };
const boolean: SchemaNode = { type: 'boolean' };
const port: SchemaNode = { type: 'integer', minimum: 1, maximum: 65535 };
const protocol: SchemaNode = { type: 'string', enum: ['TCP', 'UDP', 'SCTP'] };
const strings: SchemaNode = { type: 'array', items: string, nullable: true };
const labels: SchemaNode = { type: 'object', additionalProperties: string, nullable: true };
const object = (properties: Readonly<Record<string, SchemaNode>>, ...required: string[]): SchemaNode => ({
  type: 'object',
  properties,
  open: true,
  nullable: true,
  ...(required.length > 0 && { required }),
});
// A list may be null (Go's nil), an entry may not.
const list = (items: SchemaNode): SchemaNode => ({
  type: 'array',
  items: { ...items, nullable: false },
  nullable: true,
});

export const serviceSchema = object({
  type: { type: 'string', enum: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] },
  clusterIP: string,
  clusterIPs: strings,
  externalName: string,
  externalIPs: strings,
  ipFamilies: strings,
  publishNotReadyAddresses: boolean,
  sessionAffinity: string,
  trafficDistribution: string,
  selector: labels,
  ports: list(
    object({ name: string, port, targetPort: { type: ['integer', 'string'] }, protocol, appProtocol: string }, 'port'),
  ),
});

export const endpointSliceSchema = object(
  {
    addressType: { type: 'string', enum: ['IPv4', 'IPv6', 'FQDN'] },
    endpoints: list(
      object(
        {
          addresses: strings,
          conditions: object({
            ready: { type: 'boolean', nullable: true },
            serving: { type: 'boolean', nullable: true },
            terminating: { type: 'boolean', nullable: true },
          }),
          hostname: string,
          nodeName: string,
          zone: string,
          targetRef: object({ kind: string, name: string, namespace: string }),
        },
        'addresses',
      ),
    ),
    ports: list(object({ name: string, port: { ...port, nullable: true }, protocol, appProtocol: string })),
  },
  'addressType',
);

export const podSchema = object({
  serviceAccountName: string,
  hostNetwork: boolean,
  nodeName: string,
  containers: list(object({ name: string, ports: list(object({ name: string, containerPort: port, protocol })) })),
});

export const podStatusSchema = object({
  phase: string,
  podIP: string,
  podIPs: list(object({ ip: string })),
  conditions: list(object({ type: string, status: string })),
});

export const anySchema = object({});
