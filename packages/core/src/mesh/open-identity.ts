// From what the user said to an IdentityProvider.
import type { Clock } from '../clock.js';
import type { Draws } from '../draws.js';
import { MeshError } from '../errors.js';
import type { IdentityProvider } from '../identity/identity-provider.js';
import { createFilesProvider } from '../identity/providers/files-provider.js';
import { noIdentity } from '../identity/providers/no-identity.js';
import { controlPlaneName } from './control-plane-name.js';
import type { MeshSettings } from './mesh-settings.js';

export interface IdentityOpening {
  readonly settings: MeshSettings;
  readonly clock: Clock;
  readonly draws: Draws;
}

/** Throws MeshError CONFIG_INVALID when the provider lacks what it needs (a CA address). */
export async function openIdentity(opening: IdentityOpening): Promise<IdentityProvider> {
  const { identity } = opening.settings;
  if (typeof identity !== 'string') return identity;
  if (identity.startsWith('files:')) return createFilesProvider({ directory: identity.slice(6), clock: opening.clock });
  switch (identity) {
    case 'none':
      return noIdentity;
    case 'heddle-ca':
    case 'istio-ca':
      return openCa(identity, opening);
    case 'workload-api':
      throw new MeshError(
        'CONFIG_INVALID',
        'identity: the SPIFFE Workload API is not supported yet; use files:DIR with the files that an agent writes',
      );
    default:
      throw new MeshError(
        'CONFIG_INVALID',
        `identity: expected istio-ca, heddle-ca, files:DIR or none, got "${identity}"`,
      );
  }
}

async function openCa(
  kind: 'heddle-ca' | 'istio-ca',
  { settings, clock, draws }: IdentityOpening,
): Promise<IdentityProvider> {
  const { caAddress, tokenFile, rootCertFile, trustDomain, service } = settings;
  if (caAddress === undefined)
    throw new MeshError('CONFIG_INVALID', `identity ${kind} needs the CA's host:port: set CA_ADDR or an xds:// feed`);
  const { createCaProvider } = await import('../identity/providers/ca-provider.js');
  return createCaProvider({
    kind,
    address: caAddress,
    serverName: controlPlaneName(settings, caAddress),
    tokenFile,
    rootCertFile,
    trustDomain,
    namespace: service.namespace,
    serviceAccount: service.serviceAccount,
    clusterId: settings.clusterId,
    clock,
    draws,
  });
}
