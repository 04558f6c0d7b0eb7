// @heddle/xds: the language of the mesh. Types of the Envoy v3 API, their codec, type URLs, resource names, the Feed interface.
export {
  create,
  fromBinary,
  fromJson,
  fromJsonString,
  toBinary,
  toJson,
  toJsonString,
  equals,
  clone,
  isMessage,
} from '@bufbuild/protobuf';
export type { DescMessage, JsonObject, JsonValue, Message, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
export * from './envoy.js';
export * from './type-urls.js';
export * from './any-codec.js';
export * from './resource-name.js';
export * from './feed.js';
