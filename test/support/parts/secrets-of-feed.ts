// What Istio's agent does for an Envoy: asks the feed's CA for the workload's certificate, to be handed out by the secret discovery service.
import { systemClock } from '../../../packages/core/src/clock.js';
import { createCaProvider } from '../../../packages/core/src/identity/providers/ca-provider.js';
import type { EnvoySecrets } from '../envoy-secrets.js';

const trustDomain = 'cluster.local';

/** A certificate of `spiffe://cluster.local/ns/NAMESPACE/sa/ACCOUNT` from the CA at `address`. */
export function secretsOfFeed(address: string, namespace: string, serviceAccount: string): Promise<EnvoySecrets> {
  const provider = createCaProvider({
    kind: 'heddle-ca',
    address,
    trustDomain,
    namespace,
    serviceAccount,
    clusterId: 'Kubernetes',
    clock: systemClock,
    draws: () => 0.5,
  });
  return new Promise((resolve, reject) => {
    const connection = provider.open({
      onState: ({ svid, bundles }) => {
        const roots = bundles.byDomain.get(trustDomain);
        if (svid === undefined || roots === undefined) return;
        resolve({ ...svid, rootsPem: roots.join('\n') });
        setImmediate(() => connection.close());
      },
      onFailure: (reason) => reject(new Error(reason)),
    });
  });
}
