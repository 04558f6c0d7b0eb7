import { describe, expect, it } from 'vitest';
import type { MeshOptions } from './mesh-options.js';
import { feedNodeOf, ISTIO_TOKEN_FILE, settingsFrom } from './mesh-settings.js';

function settings(options: MeshOptions, env: Record<string, string> = {}, files: readonly string[] = []) {
  return settingsFrom(options, { env, hostname: 'host-1', fileExists: (path) => files.includes(path) });
}

describe('settings', () => {
  it('let an option win over its variable, field by field of the service', () => {
    const { service } = settings(
      { service: { name: 'reviews' } },
      { HEDDLE_SERVICE: 'details', HEDDLE_NAMESPACE: 'shop' },
    );
    expect(service).toMatchObject({
      name: 'reviews',
      namespace: 'shop',
      serviceAccount: 'reviews',
      labels: { app: 'reviews' },
    });
  });

  it('ask the CA of a Heddle feed for the identity, on the address of the feed', () => {
    expect(settings({ feed: 'xds://127.0.0.1:15010' })).toMatchObject({
      identity: 'heddle-ca',
      caAddress: '127.0.0.1:15010',
    });
  });

  it("ask Istio's CA where its projected token exists", () => {
    expect(settings({ feed: 'xdss://istiod:15012' }, {}, [ISTIO_TOKEN_FILE])).toMatchObject({
      identity: 'istio-ca',
      caAddress: 'istiod:15012',
      tokenFile: ISTIO_TOKEN_FILE,
    });
  });

  it('have no identity with a folder of files, where nobody signs', () => {
    expect(settings({ feed: './mesh' }).identity).toBe('none');
  });

  it.each([
    [{ service: { name: 'Not A Name' } }, 'service.name'],
    [{ drainMs: -1 }, 'drainMs'],
    [{ startTimeoutMs: Number.NaN }, 'startTimeoutMs'],
  ] as [MeshOptions, string][])('refuse %j naming %s', (options, name) => {
    expect(() => settings(options)).toThrow(name);
  });

  it('present the workload as a sidecar node', () => {
    const node = feedNodeOf(
      settings({
        service: { name: 'reviews', namespace: 'shop', labels: { version: 'v2' } },
        instanceIp: '127.0.0.12',
      }),
      '0.1.0',
    );
    expect(node.id).toBe('sidecar~127.0.0.12~host-1.shop~shop.svc.cluster.local');
    expect(node.metadata).toMatchObject({
      NAMESPACE: 'shop',
      CLUSTER_ID: 'Kubernetes',
      LABELS: { app: 'reviews', version: 'v2' },
      SERVICE_ACCOUNT: 'reviews',
      WORKLOAD_NAME: 'reviews-v2',
    });
  });
});
