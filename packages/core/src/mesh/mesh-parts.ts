// What a Mesh is made of besides its rooms: settings, and what createMesh opened asynchronously.
import type { Feed } from '@heddle/xds';
import type { IdentityProvider } from '../identity/identity-provider.js';
import type { MeshOptions } from './mesh-options.js';
import type { MeshSettings } from './mesh-settings.js';

export interface MeshParts {
  readonly settings: MeshSettings;
  readonly options: MeshOptions;
  readonly feed: Feed | undefined;
  readonly identity: IdentityProvider;
}
