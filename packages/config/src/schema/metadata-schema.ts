// Kubernetes' ObjectMeta: what every object may say about itself.
import type { SchemaNode } from './schema-node.js';

const string: SchemaNode = { type: 'string', nullable: true };
const any: SchemaNode = {};
const strings: SchemaNode = { type: 'object', additionalProperties: { type: 'string' }, nullable: true };

export const metadataSchema: SchemaNode = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 253 },
    generateName: string,
    namespace: string,
    labels: strings,
    annotations: strings,
    creationTimestamp: string,
    deletionTimestamp: string,
    deletionGracePeriodSeconds: any,
    uid: string,
    resourceVersion: any,
    generation: any,
    selfLink: string,
    finalizers: any,
    ownerReferences: any,
    managedFields: any,
    clusterName: any,
  },
  required: ['name'],
};

/** RFC 1123 subdomain, as object names have to be. */
export const objectName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
