// The application's headers in any form that undici takes, checked and flattened: lower-case names, no hop-by-hop headers, host apart. Checked here,
// because a request that undici's constructor refuses wedges its pool (undici 8.12).
import { MeshError } from '../../errors.js';
import type { Dispatcher } from '../../transport/undici.js';

export interface FlatHeaders {
  readonly flat: string[];
  /** Value of the Host header, in the case that the application gave it (Envoy forwards it so). */
  host: string | undefined;
}

/** RFC 9110 §7.6.1, with the ones that undici refuses. `te: trailers` and `host` are looked at by themselves. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'expect',
  'trailer',
]);
/** Names and values that are remembered as good: an application uses the same few again and again. */
const MAX_NAMES = 1024;
const MAX_VALUES = 1024;
const MAX_VALUE_LENGTH = 32;
const COMMON_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// Control characters and what Latin-1 can't carry (RFC 9110 §5.5).
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const BAD_PATH = /[^\x21-\xff]/;
/** Up to here a loop over a table of characters is cheaper than entering a regular expression. */
const SHORT_TEXT = 48;
const VALUE_CHARACTERS = charactersExcept(BAD_VALUE);
const PATH_CHARACTERS = charactersExcept(BAD_PATH);

export class HeaderFlattener {
  /** Name as given -> lower-case name, or '' for hop-by-hop ones. */
  readonly #names = new Map<string, string>();
  readonly #values = new Set<string>();

  /** Throws MeshError INVALID_REQUEST naming the header. */
  flatten(headers: Dispatcher.DispatchOptions['headers']): FlatHeaders {
    const out: FlatHeaders = { flat: [], host: undefined };
    if (headers === null || headers === undefined) return out;
    if (Array.isArray(headers)) this.#addArray(headers, out);
    else if (isIterable(headers)) for (const [name, value] of headers) this.#add(name, value, out);
    else for (const name in headers) this.#add(name, (headers as Record<string, unknown>)[name], out);
    return out;
  }

  #addArray(headers: readonly unknown[], out: FlatHeaders): void {
    if (headers.length % 2 !== 0)
      throw new MeshError('INVALID_REQUEST', 'a header array needs an even number of items');
    for (let index = 0; index < headers.length; index += 2) this.#add(String(headers[index]), headers[index + 1], out);
  }

  #add(name: string, value: unknown, out: FlatHeaders): void {
    if (value === undefined) return;
    const lower = this.#names.get(name) ?? this.#learn(name);
    if (lower === '') {
      if (name.toLowerCase() === 'connection') this.#dropNominated(value, out);
      return;
    }
    if (Array.isArray(value)) for (const each of value as readonly unknown[]) this.#push(lower, each, out);
    else this.#push(lower, value, out);
  }

  #push(name: string, value: unknown, out: FlatHeaders): void {
    const text = headerText(name, value);
    if (text.length > MAX_VALUE_LENGTH || !this.#values.has(text)) this.#checkValue(name, text);
    if (name === 'host') {
      if (out.host !== undefined) throw new MeshError('INVALID_REQUEST', 'more than one host header');
      out.host = text;
    } else if (name === 'content-length') this.#pushLength(text, out);
    else if (name !== 'te' || text.toLowerCase() === 'trailers') out.flat.push(name, text);
  }

  #checkValue(name: string, text: string): void {
    if (!consistsOf(VALUE_CHARACTERS, BAD_VALUE, text))
      throw new MeshError('INVALID_REQUEST', `header ${name}: its value has forbidden characters`);
    if (text.length <= MAX_VALUE_LENGTH && this.#values.size < MAX_VALUES) this.#values.add(text);
  }

  #pushLength(text: string, out: FlatHeaders): void {
    if (!/^\d+$/.test(text) || out.flat.includes('content-length'))
      throw new MeshError('INVALID_REQUEST', 'content-length is given twice or is no number');
    out.flat.push('content-length', text);
  }

  #learn(name: string): string {
    const lower = name.toLowerCase();
    if (!TOKEN.test(lower))
      throw new MeshError('INVALID_REQUEST', `${JSON.stringify(name.slice(0, 100))} is no header name`);
    const known = HOP_BY_HOP.has(lower) ? '' : lower;
    if (this.#names.size < MAX_NAMES) this.#names.set(name, known);
    return known;
  }

  /** Headers that `Connection` names belong to this hop, too. */
  #dropNominated(value: unknown, out: FlatHeaders): void {
    const nominated = new Set(
      headerText('connection', value)
        .toLowerCase()
        .split(/\s*,\s*/),
    );
    for (let index = out.flat.length - 2; index >= 0; index -= 2)
      if (nominated.has(out.flat[index] as string)) out.flat.splice(index, 2);
  }
}

/** 1 for each Latin-1 character that `bad` does not match. */
function charactersExcept(bad: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (bad.test(String.fromCharCode(code)) ? 0 : 1));
}

/** Characters beyond the table are undefined there, hence refused. */
function consistsOf(allowed: Uint8Array, bad: RegExp, text: string): boolean {
  if (text.length > SHORT_TEXT) return !bad.test(text);
  for (let index = 0; index < text.length; index++) if (allowed[text.charCodeAt(index)] !== 1) return false;
  return true;
}

const isIterable = (headers: object): headers is Iterable<[string, unknown]> => Symbol.iterator in headers;

function headerText(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  throw new MeshError('INVALID_REQUEST', `header ${name} has a value of type ${typeof value}`);
}

/** Throws MeshError INVALID_REQUEST for what undici's Request would refuse. */
export function checkRequestLine(method: unknown, path: unknown): void {
  if (typeof method !== 'string' || (!COMMON_METHODS.has(method) && !TOKEN.test(method.toLowerCase())))
    throw new MeshError('INVALID_REQUEST', 'the method is no HTTP token');
  if (method === 'CONNECT') throw new MeshError('INVALID_REQUEST', 'CONNECT does not go through the mesh');
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw new MeshError('INVALID_REQUEST', 'the path must start with a slash');
  if (!consistsOf(PATH_CHARACTERS, BAD_PATH, path))
    throw new MeshError('INVALID_REQUEST', 'the path has forbidden characters');
}
