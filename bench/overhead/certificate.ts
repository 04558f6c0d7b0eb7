// A certificate of the feed's CA for the bare side of the mutual TLS comparison: the same keys, roots and checks as the mesh's.
import { systemClock } from '../../packages/core/dist/clock.js';
import { seededDraws } from '../../packages/core/dist/draws.js';
import { createCaProvider } from '../../packages/core/dist/identity/providers/ca-provider.js';

export interface BareIdentity {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export function certificateFor(feedUrl: string, serviceAccount: string): Promise<BareIdentity> {
  const provider = createCaProvider({
    kind: 'heddle-ca',
    address: feedUrl.replace('xds://', ''),
    trustDomain: 'cluster.local',
    namespace: 'secure',
    serviceAccount,
    clusterId: 'Kubernetes',
    clock: systemClock,
    draws: seededDraws(1),
  });
  return new Promise((resolve, reject) => {
    const connection = provider.open({
      onState: ({ svid, bundles }) => {
        if (svid === undefined) return;
        const ca = [...bundles.byDomain.values()].flat().join('\n');
        resolve({ cert: svid.certificateChainPem, key: svid.privateKeyPem, ca });
        connection.close();
      },
      onFailure: (reason) => reject(new Error(reason)),
    });
  });
}
