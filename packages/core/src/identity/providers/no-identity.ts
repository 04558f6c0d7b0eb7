// The provider `none`: this workload has no certificate and trusts nobody's. Mutual TLS is impossible, which policies that need it will say.
import type { IdentityProvider } from '../identity-provider.js';
import { emptyBundles } from '../trust-bundles.js';

export const noIdentity: IdentityProvider = {
  name: 'none',
  open(sink) {
    sink.onState({ svid: undefined, bundles: emptyBundles });
    return { close: () => undefined };
  },
};
