// @heddle/core: the data plane inside a Node process.
export { createMesh } from './mesh/create-mesh.js';
export { Mesh, type CloseOptions, type ServeOptions } from './mesh/mesh.js';
export type { IdentityOption, LogLevel, MeshLogger, MeshOptions, ServiceOptions } from './mesh/mesh-options.js';
export type { FeedStatus, IdentityStatus, MeshStatus } from './mesh/mesh-status.js';
export type { MeshSettings } from './mesh/mesh-settings.js';
export { ENVIRONMENT_VARIABLES } from './mesh/environment.js';
export { ERROR_KINDS, MeshError, type ErrorCode, type ErrorKind } from './errors.js';
export type { ExplainStep, ExplainStage } from './explain-types.js';
export type {
  ExplainedCluster,
  ExplainedEndpoint,
  Explanation,
  ExplainOutcome,
  ExplainRequest,
} from './explain/explanation.js';
export type { ExplainInboundRequest, InboundExplanation } from './explain/explain-inbound.js';
export type {
  IdentityProvider,
  IdentitySink,
  IdentityConnection,
  PeerIdentity,
  Svid,
  TrustBundles,
} from './identity/identity-provider.js';
export type { Application } from './inbound/app-listener.js';
export type { InboundAccess } from './inbound/inbound-access.js';
export type { InboundListener } from './inbound/inbound-server.js';
export { meshInfo, type MeshRequestInfo } from './inbound/mesh-request.js';
export type { MeshInternals } from './mesh-extension.js';
export type { MeshFetch, MeshFetchInit, ResponseInfo } from './outbound/http/mesh-fetch.js';
export type { RequestContext, TraceParent } from './telemetry/request-context.js';
export type { Clock, Timer } from './clock.js';
export type { DrawName, Draws } from './draws.js';
export { HEDDLE_VERSION } from './version.js';
export type { ConfigOrigin, Feed } from '@heddle/xds';
