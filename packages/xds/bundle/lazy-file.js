// Replaces `fileDesc` of @bufbuild/protobuf/codegenv2 inside the bundle (docs/adr/0002). The library decodes the descriptor of every generated file
// when its module is evaluated, and builds a registry per file that holds every type of every file reachable: 90 files cost 60 ms before the first
// message is read. Here a file is decoded when one of its types is first used.
// scripts/build.mjs gives this text to esbuild in the place of the library's module, so imports are relative to that.
import { FileDescriptorProtoSchema } from '../wkt/gen/google/protobuf/descriptor_pb.js';
import { createFileRegistry } from '../registry.js';
import { restoreJsonNames } from './restore-json-names.js';
import { fromBinary } from '../from-binary.js';

import { delegate, loaded } from './message.js';

/** A DescFile whose parts exist after the first look at one. */
class LazyFile {
  #b64;
  #imports;
  #file;

  constructor(b64, imports) {
    this.#b64 = b64;
    this.#imports = imports;
  }

  /** The library's own descriptor of the file. */
  load() {
    return (this.#file ??= this.#decode());
  }

  #decode() {
    const proto = fromBinary(FileDescriptorProtoSchema, Buffer.from(this.#b64, 'base64'));
    this.#b64 = undefined;
    proto.messageType.forEach(restoreJsonNames);
    const imports = this.#imports.map(loaded);
    proto.dependency = imports.map((file) => file.proto.name);
    // A file names only types of its direct imports (none of the API uses `import public`). Shown without dependencies of their own, they keep the
    // registry from walking everything that is reachable; the new file gets the real ones afterwards.
    const direct = new Map(imports.map((file) => [file.proto.name, { ...file, dependencies: [] }]));
    const file = createFileRegistry(proto, (name) => direct.get(name)).getFile(proto.name);
    file.dependencies.splice(0, Infinity, ...imports);
    return file;
  }
}

const FILE_PARTS = [
  'proto',
  'deprecated',
  'edition',
  'name',
  'dependencies',
  'enums',
  'messages',
  'extensions',
  'services',
];
delegate(LazyFile, 'file', FILE_PARTS);

export function fileDesc(b64, imports = []) {
  return new LazyFile(b64, imports);
}
