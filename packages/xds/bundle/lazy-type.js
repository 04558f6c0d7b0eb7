// Replaces `messageDesc`, `enumDesc` and `serviceDesc` of @bufbuild/protobuf/codegenv2 inside the bundle (docs/adr/0002): a type is found in its
// file when it is first used. Must import nothing: the library's own descriptors are built while the modules that need this are still loading.

/** A message, enum or service of a file not yet decoded. */
class LazyType {
  #file;
  #path;
  #desc;

  constructor(file, path) {
    this.#file = file;
    this.#path = path;
  }

  /** The library's own descriptor of the type. */
  load() {
    return (this.#desc ??= this.find(loaded(this.#file), this.#path));
  }
}

class LazyMessage extends LazyType {
  find(file, path) {
    return messageAt(file, path);
  }
}

class LazyEnum extends LazyType {
  find(file, path) {
    const index = path.at(-1);
    return path.length === 1 ? file.enums[index] : messageAt(file, path.slice(0, -1)).nestedEnums[index];
  }
}

class LazyService extends LazyType {
  find(file, [index]) {
    return file.services[index];
  }
}

/** Gives a lazy class the properties of what it stands for. They are on the prototype, so all its objects keep one fast shape. */
export function delegate(lazyClass, kind, names) {
  Object.defineProperty(lazyClass.prototype, 'kind', { value: kind, enumerable: true });
  for (const name of names)
    Object.defineProperty(lazyClass.prototype, name, {
      enumerable: true,
      get() {
        return this.load()[name];
      },
    });
  lazyClass.prototype.toString = function toString() {
    return this.load().toString();
  };
}

const SERVICE_PARTS = ['proto', 'deprecated', 'file', 'name', 'typeName', 'methods', 'method'];
const ENUM_PARTS = [
  'proto',
  'deprecated',
  'file',
  'parent',
  'open',
  'name',
  'typeName',
  'value',
  'values',
  'sharedPrefix',
];
const MESSAGE_PARTS = [
  ...['proto', 'deprecated', 'file', 'parent', 'name', 'typeName', 'fields', 'field', 'oneofs', 'members'],
  ...['nestedEnums', 'nestedMessages', 'nestedExtensions'],
];
delegate(LazyMessage, 'message', MESSAGE_PARTS);
delegate(LazyEnum, 'enum', ENUM_PARTS);
delegate(LazyService, 'service', SERVICE_PARTS);

/** The descriptor of a file; google/protobuf/descriptor.proto itself is not lazy, since the others are read with it. */
export function loaded(file) {
  return typeof file.load === 'function' ? file.load() : file;
}

function messageAt(file, path) {
  const [first, ...nested] = path;
  return nested.reduce((message, index) => message.nestedMessages[index], file.messages[first]);
}

export function messageDesc(file, ...path) {
  return typeof file.load === 'function' ? new LazyMessage(file, path) : messageAt(file, path);
}

export function enumDesc(file, ...path) {
  return new LazyEnum(file, path);
}

export function serviceDesc(file, index) {
  return new LazyService(file, [index]);
}
