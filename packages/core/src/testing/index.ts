// @heddle/core/testing: what tests of services and of adapters need: a mesh in memory, virtual time, seeded randomness, certificates.
export { createTestMesh, type TestMesh, type TestMeshOptions } from './mesh/test-mesh.js';
export type { InjectedCaller, InjectedRequest, InjectedResponse } from './mesh/inject.js';
export type { DrawOverrides } from './mesh/named-draws.js';
export type {
  Upstream,
  UpstreamAnswer,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamReply,
  UpstreamRequest,
  Upstreams,
} from './mesh/upstreams.js';
export { VirtualClock } from './virtual-clock.js';
export { seededDraws } from '../draws.js';
export { testAuthority } from './test-certificates.js';
