// Replaces `fileDesc` of @bufbuild/protobuf/codegenv2 inside the bundle (docs/adr/0002). The library decodes the descriptor of every generated file
// when its module is evaluated, and builds a registry per file that holds every type of every file reachable: 90 files cost 60 ms before the first
// message is read. Here a file is decoded when one of its types is first used, and of the files that it imports only the names of their types.
// scripts/xds-bundle.mjs gives this text to esbuild in the place of the library's module, so imports are relative to that.
import { FileDescriptorProtoSchema } from '../wkt/gen/google/protobuf/descriptor_pb.js';
import { createFileRegistry } from '../registry.js';
import { restoreJsonNames } from './restore-json-names.js';
import { fromBinary } from '../from-binary.js';
import { BinaryReader } from '../wire/binary-encoding.js';
import { createReader } from './descriptor-reader.js';
import { LazyEnum, LazyMessage } from './message.js';

const readFile = createReader(FileDescriptorProtoSchema, fromBinary);

/** A DescFile whose parts exist after the first look at one. */
class LazyFile {
  #b64;
  #imports;
  #outline;
  #file;

  constructor(b64, imports) {
    this.#b64 = b64;
    this.#imports = imports;
  }

  /** The library's own descriptor of the file. */
  load() {
    return (this.#file ??= this.#decode());
  }

  /** The file as a file that imports it has to see it: its name, and its types, not decoded yet. */
  get outline() {
    return (this.#outline ??= outlineOf(this, Buffer.from(this.#b64, 'base64')));
  }

  get kind() {
    return 'file';
  }
  get proto() {
    return this.load().proto;
  }
  get deprecated() {
    return this.load().deprecated;
  }
  get edition() {
    return this.load().edition;
  }
  get name() {
    return this.load().name;
  }
  get dependencies() {
    return this.load().dependencies;
  }
  get enums() {
    return this.load().enums;
  }
  get messages() {
    return this.load().messages;
  }
  get extensions() {
    return this.load().extensions;
  }
  get services() {
    return this.load().services;
  }

  toString() {
    return this.load().toString();
  }

  #decode() {
    const proto = readFile(Buffer.from(this.#b64, 'base64'));
    proto.messageType.forEach(restoreJsonNames);
    // A file names only types of its direct imports (none of the API uses `import public`). Their outlines have no dependencies, which keeps the
    // registry from walking everything that is reachable; the new file gets the real ones afterwards.
    const outlines = new Map(this.#imports.map((file) => outlineEntry(file.outline ?? { ...file, dependencies: [] })));
    proto.dependency = [...outlines.keys()];
    const file = createFileRegistry(proto, (name) => outlines.get(name)).getFile(proto.name);
    file.dependencies.splice(0, Infinity, ...this.#imports);
    return file;
  }
}

function outlineEntry(outline) {
  return [outline.proto.name, outline];
}

/** Field numbers of google.protobuf.FileDescriptorProto and DescriptorProto. */
const FILE = { name: 1, package: 2, messageType: 4, enumType: 5 };
const TYPE = { name: 1, nestedType: 3, enumType: 4 };

/** Reads names only, skipping fields, options and values. */
function outlineOf(file, bytes) {
  const parts = topLevel(bytes);
  const name = text(parts[FILE.name]?.[0]);
  const types = [];
  const prefix = text(parts[FILE.package]?.[0]) + '.';
  parts[FILE.messageType]?.forEach((message, index) => addMessage(types, file, message, prefix, [index]));
  parts[FILE.enumType]?.forEach((entry, index) => addEnum(types, file, entry, prefix, [index]));
  // The registry walks into what it finds under `messages`; under `enums` it takes each type as it is.
  return { kind: 'file', proto: { name }, dependencies: [], messages: [], enums: types, services: [], extensions: [] };
}

function addMessage(types, file, bytes, prefix, path) {
  const parts = topLevel(bytes);
  const typeName = prefix + text(parts[TYPE.name]?.[0]);
  types.push(new LazyMessage(file, path, typeName));
  parts[TYPE.nestedType]?.forEach((nested, index) => addMessage(types, file, nested, typeName + '.', [...path, index]));
  parts[TYPE.enumType]?.forEach((nested, index) => addEnum(types, file, nested, typeName + '.', [...path, index]));
}

function addEnum(types, file, bytes, prefix, path) {
  types.push(new LazyEnum(file, path, prefix + text(topLevel(bytes)[TYPE.name]?.[0])));
}

/** The length-delimited fields of a message by their number; others are skipped. */
function topLevel(bytes) {
  const reader = new BinaryReader(bytes);
  const parts = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === LENGTH_DELIMITED) (parts[number] ??= []).push(reader.bytes());
    else reader.skip(wireType, number);
  }
  return parts;
}

const LENGTH_DELIMITED = 2;
const decoder = new TextDecoder();

function text(bytes) {
  return bytes === undefined ? '' : decoder.decode(bytes);
}

export function fileDesc(b64, imports = []) {
  return new LazyFile(b64, imports);
}
