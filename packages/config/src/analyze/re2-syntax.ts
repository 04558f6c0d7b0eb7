// Syntax of RE2 regular expressions (https://github.com/google/re2/wiki/Syntax), checked without compiling them: the engine that
// matches lives in the data plane.

/** What is wrong with the pattern, or undefined. */
export function re2Fault(pattern: string): string | undefined {
  const scan = new Scan(pattern);
  try {
    scan.all();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxFault) return error.message;
    throw error;
  }
}

class SyntaxFault extends Error {}

const classEscapes = 'dDsSwW';
const otherEscapes = 'abfnrtvAzBC';
/** Places and bytes: they stand for no character, so a class cannot hold them. */
const notInClass = 'AzbBC';
const isSet = (text: string) => /^\\[dDsSwWpP]/.test(text);
const longestRepeat = 1000;

class Scan {
  #at = 0;
  #open = 0;
  /** There is something before, in this group and alternative, that a repetition can hold. */
  #repeatable = false;
  /** The end of the last repetition: a second one right behind it (a**, a*+) is an error in RE2. */
  #repeatedAt = -1;

  constructor(private readonly text: string) {}

  all(): void {
    while (this.#at < this.text.length) this.#step();
    if (this.#open > 0) throw new SyntaxFault('missing )');
  }

  #step(): void {
    const char = this.text[this.#at];
    switch (char) {
      case '(':
        return this.#group();
      case ')':
        if (--this.#open < 0) throw new SyntaxFault('unexpected )');
        return this.#take(1, true);
      case '[':
        return this.#class();
      case '\\':
        return this.#escape();
      case undefined:
        return;
      case '*':
      case '+':
      case '?':
        return this.#repeat(1);
      case '{':
        return this.#braces();
      case '|':
        return this.#take(1, false);
      default:
        return this.#take(1, true);
    }
  }

  #take(length: number, repeatable: boolean): void {
    this.#at += length;
    this.#repeatable = repeatable;
  }

  #group(): void {
    const rest = this.text.slice(this.#at);
    const look = /^\(\?(?:[=!]|<[=!])/.exec(rest);
    if (look) throw new SyntaxFault(`look-around ${look[0]} is not possible`);
    const special = /^\(\?(?:P?<[A-Za-z_]\w*>|[imsU]*(?:-[imsU]+)?:)/.exec(rest);
    const flags = /^\(\?[imsU]*(?:-[imsU]+)?\)/.exec(rest);
    if (flags) return this.#take(flags[0].length, this.#repeatable);
    if (rest.startsWith('(?') && !special) throw new SyntaxFault(`unknown group ${rest.slice(0, 4)}`);
    this.#open++;
    this.#take(special?.[0].length ?? 1, false);
  }

  #class(): void {
    let at = this.#at + 1;
    if (this.text[at] === '^') at++;
    for (let first = true; ; first = false) {
      const char = this.text[at];
      if (char === undefined) throw new SyntaxFault('missing ]');
      if (char === ']' && !first) break;
      const named = /^\[:\^?(\w+):\]/.exec(this.text.slice(at));
      if (named) at += named[0].length;
      else at = this.#classItem(at);
    }
    this.#at = at;
    this.#take(1, true);
  }

  #classItem(at: number): number {
    const [low, next] = this.#classChar(at);
    if (this.text[next] !== '-' || this.text[next + 1] === ']' || this.text[next + 1] === undefined) return next;
    // A set like \d has no end to range from or to; behind one, the dash stands for itself.
    if (isSet(this.text.slice(at))) return next;
    if (isSet(this.text.slice(next + 1))) throw new SyntaxFault(`range ${this.text.slice(at, next + 3)} ends in a set`);
    const [high, end] = this.#classChar(next + 1);
    if (low !== undefined && high !== undefined && high < low)
      throw new SyntaxFault(`range ${this.text.slice(at, end)} is the wrong way round`);
    return end;
  }

  /** Code of the character at `at` (undefined for a set like \d) and where it ends. */
  #classChar(at: number): [number | undefined, number] {
    const code = this.text.codePointAt(at) ?? 0;
    if (this.text[at] !== '\\') return [code, at + String.fromCodePoint(code).length];
    const escaped = this.text[at + 1] ?? '';
    if (escaped !== '' && notInClass.includes(escaped))
      throw new SyntaxFault(`\\${escaped} is not possible inside [ ]`);
    const end = this.#escapeEnd(at);
    const plain = end === at + 2 && !/\w/.test(escaped);
    return [plain ? this.text.codePointAt(at + 1) : undefined, end];
  }

  #escape(): void {
    if (this.text.startsWith('\\Q', this.#at)) {
      const end = this.text.indexOf('\\E', this.#at);
      return this.#take((end < 0 ? this.text.length : end + 2) - this.#at, true);
    }
    this.#take(this.#escapeEnd(this.#at) - this.#at, true);
  }

  #escapeEnd(at: number): number {
    const rest = this.text.slice(at);
    const known = /^\\(?:[pP](?:\{\^?\w+\}|\w)|x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]+\})|0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(
      rest,
    );
    if (known) return at + known[0].length;
    const char = rest[1];
    if (char === undefined) throw new SyntaxFault('a backslash at the end');
    if (/[1-9]/.test(char)) throw new SyntaxFault(`the back reference \\${char} is not possible`);
    if (/\w/.test(char) && !classEscapes.includes(char) && !otherEscapes.includes(char) && char !== '_') {
      throw new SyntaxFault(`unknown escape \\${char}`);
    }
    return at + 1 + String.fromCodePoint(rest.codePointAt(1) ?? 0).length;
  }

  #braces(): void {
    const counts = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.text.slice(this.#at));
    // Anything else in braces is plain text to RE2.
    if (!counts) return this.#take(1, true);
    const [whole, min, comma, max] = counts;
    const [least, most] = [Number(min), comma === undefined || max === '' ? Number(min) : Number(max)];
    if (most < least || most > longestRepeat || least > longestRepeat) throw new SyntaxFault(`bad repetition ${whole}`);
    this.#repeat(whole.length);
  }

  #repeat(length: number): void {
    if (!this.#repeatable || this.#repeatedAt === this.#at) {
      throw new SyntaxFault(`nothing to repeat before ${this.text.slice(this.#at, this.#at + length)}`);
    }
    // A question mark behind makes the repetition lazy.
    this.#at += length + (this.text[this.#at + length] === '?' ? 1 : 0);
    this.#repeatedAt = this.#at;
  }
}
