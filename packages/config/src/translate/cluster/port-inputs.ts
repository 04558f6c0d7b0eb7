// What the clusters of one service port are made from.
import type { MergedRule } from '../../view/destination-rules.js';
import type { MeshEndpoint } from '../../view/endpoints.js';
import type { MeshPort, MeshService } from '../../view/mesh-service.js';

/** Equal inputs give equal clusters. */
export interface PortInputs {
  readonly service: MeshService;
  readonly port: MeshPort;
  readonly rule: MergedRule | undefined;
  readonly endpoints: readonly MeshEndpoint[];
  /** Auto mTLS is off for the service's namespace (PeerAuthentication DISABLE). */
  readonly plain: boolean;
}
