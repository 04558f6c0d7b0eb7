import { CLUSTER_TYPE_URL, ENDPOINT_TYPE_URL, ROUTE_TYPE_URL, type RawResource } from '@heddle/xds';
import { describe, expect, it } from 'vitest';
import { httpFilterKinds } from '../../filters/registry.js';
import { rawResource } from '../../testing/test-view.js';
import { createInspector } from './resource-inspector.js';

const inspector = createInspector(httpFilterKinds);

describe('createInspector', () => {
  it('names what a resource needs', () => {
    const table = rawResource(ROUTE_TYPE_URL, '80', {
      name: '80',
      virtual_hosts: [
        {
          name: 'v',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/a' },
              route: {
                weighted_clusters: {
                  clusters: [
                    { name: 'v1', weight: 1 },
                    { name: 'v2', weight: 1 },
                  ],
                },
              },
            },
            { match: { prefix: '/' }, route: { cluster: 'v1', request_mirror_policies: [{ cluster: 'm' }] } },
          ],
        },
      ],
    });
    expect(inspector.references(table)).toEqual(['v1', 'v2', 'm'].map((name) => ({ typeUrl: CLUSTER_TYPE_URL, name })));
    const eds = rawResource(CLUSTER_TYPE_URL, 'c', {
      name: 'c',
      type: 'EDS',
      eds_cluster_config: { service_name: 'svc' },
    });
    expect(inspector.references(eds)).toEqual([{ typeUrl: ENDPOINT_TYPE_URL, name: 'svc' }]);
    expect(
      inspector.references(
        rawResource(CLUSTER_TYPE_URL, 'c', { name: 'c', type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' }),
      ),
    ).toEqual([]);
  });

  it('refuses bytes that are no message, without throwing', () => {
    const raw: RawResource = {
      typeUrl: CLUSTER_TYPE_URL,
      name: 'c',
      version: '1',
      bytes: new Uint8Array([255, 255, 255]),
    };
    expect(inspector.refusal(raw)).toMatch(/^Cluster c: /);
    expect(inspector.references(raw)).toEqual([]);
  });

  it('collects all faults of a table', () => {
    const raw = rawResource(ROUTE_TYPE_URL, '80', {
      name: '80',
      virtual_hosts: [
        {
          name: 'a',
          domains: ['x'],
          routes: [{ match: { safe_regex: { regex: '[' } }, route: { cluster: 'c' } }, { match: { prefix: '/' } }],
        },
        { name: 'b', domains: ['x'], routes: [] },
      ],
    });
    const refusal = inspector.refusal(raw);
    for (const part of [
      'RouteConfiguration 80: ',
      'virtual_hosts[1].domains[0]',
      'routes[0].match',
      'routes[1]: action',
    ])
      expect(refusal).toContain(part);
  });

  it('does not refuse what only protoc-gen-validate would', () => {
    const raw = rawResource(CLUSTER_TYPE_URL, 'c', {
      name: 'c',
      type: 'STATIC',
      connect_timeout: '0s',
      load_assignment: { cluster_name: '' },
    });
    expect(inspector.refusal(raw)).toBeUndefined();
  });
});
