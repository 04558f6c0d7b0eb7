import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadText } from '../load/load.js';
import { apiVersionOf } from '../load/unknown-kinds.js';
import type { ConfigObject } from '../model/config-object.js';
import { InvalidObjectError } from './build-object.js';
import * as builders from './builders.js';

const {
  destinationRule,
  endpointSlice,
  envoyFilter,
  httpRoute,
  namespace,
  peerAuthentication,
  pod,
  service,
  virtualService,
} = builders;

const metadata = { name: 'reviews', namespace: 'prod', labels: { app: 'reviews' } };
const split = virtualService({
  metadata,
  spec: {
    hosts: ['reviews'],
    http: [
      {
        match: [{ headers: { 'end-user': { exact: 'jason' } } }],
        route: [{ destination: { host: 'reviews', subset: 'v2' } }],
      },
      {
        route: [
          { destination: { host: 'reviews', subset: 'v1' }, weight: 90 },
          { destination: { host: 'reviews', subset: 'v2' }, weight: 10 },
        ],
        timeout: '10s',
        retries: { attempts: 2, retryOn: '5xx,reset,connect-failure' },
      },
    ],
  },
});

const built: readonly ConfigObject[] = [
  split,
  destinationRule({ metadata, spec: { host: 'reviews', subsets: [{ name: 'v1', labels: { version: 'v1' } }] } }),
  service({
    metadata,
    spec: { selector: { app: 'reviews' }, ports: [{ name: 'http', port: 9080, targetPort: 'web' }] },
  }),
  pod({ metadata, spec: { serviceAccountName: 'reviews' }, status: { podIP: '10.0.0.1' } }),
  endpointSlice({ metadata, spec: { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }] } }),
  namespace({ metadata: { name: 'prod' } }),
  httpRoute({
    metadata,
    spec: {
      parentRefs: [{ kind: 'Service', group: '', name: 'reviews' }],
      rules: [{ backendRefs: [{ name: 'reviews-v1', port: 9080 }] }],
    },
  }),
  envoyFilter({
    metadata,
    spec: {
      configPatches: [{ applyTo: 'HTTP_FILTER', patch: { operation: 'INSERT_FIRST', value: { name: 'x', any: [1] } } }],
    },
  }),
  peerAuthentication({ metadata, spec: { mtls: { mode: 'STRICT' } } }),
];

describe('builders', () => {
  for (const object of built) {
    it(`of ${object.kind} give what the same YAML gives`, () => {
      const { group, version, kind, spec, status } = object;
      const { labels, name } = object.metadata;
      const header = {
        apiVersion: apiVersionOf(group, version),
        kind,
        metadata: { name, namespace: object.metadata.namespace, labels },
      };
      const text = stringify(
        kind === 'EndpointSlice' ? { ...header, ...spec } : { ...header, spec, ...(status && { status }) },
      );
      const loaded = loadText(text);
      expect(loaded.findings).toEqual([]);
      expect({ ...object, source: undefined }).toEqual({ ...loaded.objects[0], source: undefined });
    });
  }

  it('exist for every kind that the data plane is configured by', () => {
    const names = [
      'virtualService',
      'destinationRule',
      'serviceEntry',
      'workloadEntry',
      'sidecar',
      'peerAuthentication',
      'authorizationPolicy',
      'envoyFilter',
      'httpRoute',
      'service',
      'endpointSlice',
      'pod',
      'namespace',
    ];
    expect(names.filter((name) => !(name in builders))).toEqual([]);
  });

  it('default the namespace, and drop fields that are undefined', () => {
    const rule = destinationRule({ metadata: { name: 'a' }, spec: { host: 'a', exportTo: undefined } });
    expect(rule.metadata).toEqual({ name: 'a', namespace: 'default', labels: {}, annotations: {} });
    expect(Object.keys(rule.spec)).toEqual(['host']);
  });

  it('keep the object apart from later changes of the literal', () => {
    const labels = { version: 'v1' };
    const rule = destinationRule({ metadata: { name: 'a' }, spec: { host: 'a', subsets: [{ name: 'v1', labels }] } });
    labels.version = 'v2';
    expect(rule.spec).toEqual({ host: 'a', subsets: [{ name: 'v1', labels: { version: 'v1' } }] });
  });

  it('throw one error that lists every fault', () => {
    const spec = {
      hosts: ['a'],
      http: [{ timeout: '10', rout: [], route: [{ destination: { host: 'a' }, weight: -1 }] }],
    };
    const build = () => virtualService({ metadata: { name: 'Big' }, spec });
    expect(build).toThrow(InvalidObjectError);
    expect(build).toThrow(
      /^VirtualService default\/Big is not valid:\n {2}HED0111 .*\n {2}HED0105 spec\.http\[0\]\.timeout: .*\n {2}HED0101 spec\.http\[0\]\.rout: .*did you mean `route`.*\n {2}HED0202 /,
    );
  });
});

// The types come from the same schemas as the checks: these lines fail to compile when they do not.
export function typeErrors(): void {
  // @ts-expect-error a number is no duration
  virtualService({ metadata: { name: 'a' }, spec: { http: [{ timeout: 10 }] } });
  // @ts-expect-error no such mode
  peerAuthentication({ metadata: { name: 'a' }, spec: { mtls: { mode: 'STRCIT' } } });
  // @ts-expect-error the host is required
  destinationRule({ metadata: { name: 'a' }, spec: {} });
  // @ts-expect-error no such field
  httpRoute({ metadata: { name: 'a' }, spec: { hostname: ['a'] } });
}
