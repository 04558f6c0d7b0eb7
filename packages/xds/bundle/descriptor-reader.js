// Reads FileDescriptorProto for lazy-file.js: the same message as the library's `fromBinary` gives, in a fraction of the time. The library reads by
// reflection, which costs most the first few thousand fields: those are all of a start. What descriptors of generated files never hold is left to it.
// Its imports are relative to the library's modules, as those of lazy-file.js.
import { create } from '../create.js';

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** descriptor_pb's FieldDescriptorProto.Type, as the library's ScalarType has them. */
const BOOL = 8;
const STRING = 9;
const INT32 = 5;

/** Something that only the library reads. */
class Unusual extends Error {}

/** How messages of one type are made and read. */
class Shape {
  constructor(schema) {
    const zero = create(schema);
    this.typeName = zero.$typeName;
    /** Default values; a message's own properties are what is set, as the library has it. */
    this.prototype = Object.getPrototypeOf(zero);
    this.lists = Object.keys(zero).filter((name) => Array.isArray(zero[name]));
    this.fields = [];
    for (const field of schema.fields)
      if (field.number < FIRST_OF_EXTENSIONS) this.fields[field.number] = partOf(field);
  }

  read(bytes, start, end) {
    const message = Object.create(this.prototype);
    message.$typeName = this.typeName;
    for (const name of this.lists) message[name] = [];
    const at = { bytes, position: start };
    while (at.position < end) {
      const tag = varint(at);
      const part = this.fields[tag >>> 3];
      if (part === undefined) addUnknown(message, tag, at);
      else part.read(message, tag & 7, at);
    }
    if (at.position !== end) throw new Unusual();
    return message;
  }
}

const FIRST_OF_EXTENSIONS = 999;

function partOf(field) {
  const repeated = field.fieldKind === 'list';
  const kind = repeated ? field.listKind : field.fieldKind;
  if (kind === 'message') return new MessagePart(field.localName, repeated, field.message);
  if (kind === 'enum')
    return new ScalarPart(field.localName, repeated, INT32, new Set(field.enum.values.map(({ number }) => number)));
  return new ScalarPart(field.localName, repeated, field.scalar);
}

class MessagePart {
  #shape;

  constructor(name, repeated, schema) {
    this.name = name;
    this.repeated = repeated;
    this.schema = schema;
  }

  read(message, wireType, at) {
    if (wireType !== LENGTH_DELIMITED) throw new Unusual();
    const end = varint(at) + at.position;
    const value = (this.#shape ??= new Shape(this.schema)).read(at.bytes, at.position, end);
    at.position = end;
    put(message, this, value);
  }
}

class ScalarPart {
  /** `known`: the numbers of an enum. */
  constructor(name, repeated, scalar, known) {
    this.name = name;
    this.repeated = repeated;
    this.scalar = scalar;
    this.known = known;
  }

  read(message, wireType, at) {
    put(message, this, this.#value(wireType, at));
  }

  #value(wireType, at) {
    if (this.scalar === STRING && wireType === LENGTH_DELIMITED) return text(at);
    if (wireType !== VARINT) throw new Unusual();
    const number = varint(at);
    if (this.scalar === BOOL) return number !== 0;
    if (this.scalar !== INT32 || this.known?.has(number) === false) throw new Unusual();
    return number;
  }
}

function put(message, { name, repeated }, value) {
  if (repeated) message[name].push(value);
  // A message that comes in two pieces is merged, says the wire format.
  else if (typeof value === 'object' && Object.hasOwn(message, name)) throw new Unusual();
  else message[name] = value;
}

/** Options that somebody else declared. */
function addUnknown(message, tag, at) {
  const start = at.position;
  const wireType = tag & 7;
  if (wireType !== VARINT && wireType !== LENGTH_DELIMITED) throw new Unusual();
  const value = varint(at);
  if (wireType === LENGTH_DELIMITED) at.position += value;
  (message.$unknown ??= []).push({ no: tag >>> 3, wireType, data: at.bytes.subarray(start, at.position) });
}

function text(at) {
  const length = varint(at);
  const start = at.position;
  at.position += length;
  return at.bytes.utf8Slice(start, at.position);
}

/** The lower 32 bits, signed, as int32 has them. */
function varint(at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = at.bytes[at.position++];
    if (byte === undefined) throw new Unusual();
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

/** A reader of messages of `schema`; `fallback` reads, of the same bytes, what is unusual. */
export function createReader(schema, fallback) {
  let shape;
  return (bytes) => {
    try {
      return (shape ??= new Shape(schema)).read(bytes, 0, bytes.length);
    } catch (error) {
      if (error instanceof Unusual) return fallback(schema, bytes);
      throw error;
    }
  };
}
