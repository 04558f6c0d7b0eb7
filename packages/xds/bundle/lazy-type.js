// Replaces `messageDesc`, `enumDesc` and `serviceDesc` of @bufbuild/protobuf/codegenv2 inside the bundle (docs/adr/0002): a type is found in its
// file when it is first used. Must import nothing: the library's own descriptors are built while the modules that need this are still loading.

/**
 * A message, enum or service of a file not yet decoded. Each property is a getter of its own on the prototype: all objects keep one shape, and
 * the engine inlines the access, which decoding does for every field.
 */
class LazyType {
  #file;
  #path;
  #typeName;
  #desc;

  /** `typeName` where it is known without decoding the file. */
  constructor(file, path, typeName) {
    this.#file = file;
    this.#path = path;
    this.#typeName = typeName;
  }

  /** The library's own descriptor of the type. */
  load() {
    return (this.#desc ??= this.find(this.#file.load(), this.#path));
  }

  get typeName() {
    return (this.#typeName ??= this.load().typeName);
  }

  toString() {
    return this.load().toString();
  }
}

export class LazyMessage extends LazyType {
  find(file, path) {
    return messageAt(file, path);
  }

  get kind() {
    return 'message';
  }
  get proto() {
    return this.load().proto;
  }
  get deprecated() {
    return this.load().deprecated;
  }
  get file() {
    return this.load().file;
  }
  get parent() {
    return this.load().parent;
  }
  get name() {
    return this.load().name;
  }
  get fields() {
    return this.load().fields;
  }
  get field() {
    return this.load().field;
  }
  get oneofs() {
    return this.load().oneofs;
  }
  get members() {
    return this.load().members;
  }
  get nestedEnums() {
    return this.load().nestedEnums;
  }
  get nestedMessages() {
    return this.load().nestedMessages;
  }
  get nestedExtensions() {
    return this.load().nestedExtensions;
  }
}

export class LazyEnum extends LazyType {
  find(file, path) {
    const index = path.at(-1);
    return path.length === 1 ? file.enums[index] : messageAt(file, path.slice(0, -1)).nestedEnums[index];
  }

  get kind() {
    return 'enum';
  }
  get proto() {
    return this.load().proto;
  }
  get deprecated() {
    return this.load().deprecated;
  }
  get file() {
    return this.load().file;
  }
  get parent() {
    return this.load().parent;
  }
  get open() {
    return this.load().open;
  }
  get name() {
    return this.load().name;
  }
  get value() {
    return this.load().value;
  }
  get values() {
    return this.load().values;
  }
  get sharedPrefix() {
    return this.load().sharedPrefix;
  }
}

class LazyService extends LazyType {
  find(file, [index]) {
    return file.services[index];
  }

  get kind() {
    return 'service';
  }
  get proto() {
    return this.load().proto;
  }
  get deprecated() {
    return this.load().deprecated;
  }
  get file() {
    return this.load().file;
  }
  get name() {
    return this.load().name;
  }
  get methods() {
    return this.load().methods;
  }
  get method() {
    return this.load().method;
  }
}

function messageAt(file, path) {
  const [first, ...nested] = path;
  return nested.reduce((message, index) => message.nestedMessages[index], file.messages[first]);
}

/** google/protobuf/descriptor.proto itself is not lazy, since the other files are read with it. */
export function messageDesc(file, ...path) {
  return typeof file.load === 'function' ? new LazyMessage(file, path) : messageAt(file, path);
}

export function enumDesc(file, ...path) {
  const lazy = typeof file.load === 'function' ? file : { load: () => file };
  return new LazyEnum(lazy, path);
}

export function serviceDesc(file, index) {
  return new LazyService(file, [index]);
}
