// Walks over the fields of a serialized message without decoding them, so that a large message can be taken apart piece by piece
// (protobuf encoding: https://protobuf.dev/programming-guides/encoding).
import { MeshError } from '../../errors.js';

/** Wire type of strings, bytes and messages. */
export const LENGTH_DELIMITED = 2;

/** A cursor over the fields of one message, from `start` to `end` of the bytes. */
export class WireFields {
  /** The field that the cursor stands on. */
  number = 0;
  wireType = 0;
  /** Where its tag begins, where its value begins (behind tag and length), and where the next field begins. */
  tagAt = 0;
  valueAt = 0;
  endAt: number;
  readonly #bytes: Uint8Array;
  readonly #limit: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#limit = end;
    this.endAt = start;
  }

  /** Goes to the next field; false at the end. Throws MeshError CONFIG_INVALID where the bytes are no message. */
  next(): boolean {
    if (this.endAt >= this.#limit) return false;
    this.tagAt = this.valueAt = this.endAt;
    const tag = this.#varint();
    this.number = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.number === 0) throw malformed(`field number 0 at byte ${this.tagAt}`);
    this.endAt = this.#end();
    if (this.endAt > this.#limit) throw malformed(`field ${this.number} ends behind its message`);
    return true;
  }

  /** Where the value ends that begins at `valueAt`; moves `valueAt` behind a length. */
  #end(): number {
    switch (this.wireType) {
      case 0: {
        const { valueAt } = this;
        this.#varint();
        const end = this.valueAt;
        this.valueAt = valueAt;
        return end;
      }
      case 1:
        return this.valueAt + 8;
      case LENGTH_DELIMITED: {
        const length = this.#varint();
        return this.valueAt + length;
      }
      case 5:
        return this.valueAt + 4;
      default:
        throw malformed(`field ${this.number} has wire type ${this.wireType}`);
    }
  }

  /** Reads a varint at `valueAt`. Beyond 53 bits the value loses precision, which no tag and no length reaches. */
  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      if (this.valueAt >= this.#limit) throw malformed('it ends within a number');
      const byte = this.#bytes[this.valueAt++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw malformed('a number is longer than 10 bytes');
  }
}

const malformed = (reason: string): MeshError => new MeshError('CONFIG_INVALID', `the bytes are no message: ${reason}`);
