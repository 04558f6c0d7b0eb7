// @heddle/config: Istio, Gateway API and Kubernetes objects, read from YAML or built in code, validated, analysed and translated.
export type { ConfigObject, FieldPath, ObjectMetadata, ObjectSource, Position } from './model/config-object.js';
export { describeObject } from './model/config-object.js';
export { formatFieldPath } from './model/field-path.js';
export type { Finding, FindingLevel } from './model/finding.js';
export type { LoadedConfig, RejectedObject } from './model/loaded-config.js';
export type { Workload } from './model/workload.js';

export { loadPaths, loadPathsSync, loadText } from './load/load.js';
export type { LoadLimits } from './load/limits.js';
export type { LoadOptions } from './load/loading.js';

export { checkConfig, checkObjects, checkPaths } from './analyze/check.js';
export type { CheckOptions } from './analyze/check.js';
export { messages } from './analyze/messages.js';
export type { Message } from './analyze/messages.js';

export * from './builders/builders.js';
export { InvalidObjectError } from './builders/build-object.js';
export type { ObjectInput, ObjectName } from './builders/build-object.js';
export type * from './schema/gen/types.js';
export type * from './schema/kubernetes-types.js';
export type { KindName, SpecTypes } from './schema/spec-types.js';

export * from './feed/index.js';
export { Reuse, translate } from './translate/index.js';
export type { OriginDetails, Translated, TranslatedResources } from './translate/index.js';
export { type MeshView, buildMeshView } from './view/mesh-view.js';
export { DEFAULT_MESH_SETTINGS, type MeshSettings } from './view/mesh-settings.js';
