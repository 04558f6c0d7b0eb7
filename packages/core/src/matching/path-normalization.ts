// Paths as Envoy's connection manager makes them (normalize_path, merge_slashes, path_with_escaped_slashes_action), by hand and never by a URL parser.

export interface PathOptions {
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: 'keep' | 'reject' | 'unescape-redirect' | 'unescape-forward';
  /** What becomes of a raw `#`; Envoy rejects by default (CVE-2021-32779). */
  readonly fragment?: 'reject' | 'strip';
}

export type Normalization =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'redirect'; readonly path: string }
  | { readonly kind: 'refused'; readonly details: string };

const REFUSED = Object.freeze({ kind: 'refused', details: 'path_normalization_failed' });

/**
 * True for a path that no reading and no normalisation changes: visible ASCII, no fragment, and before the query neither escapes nor backslashes, dot
 * segments or double slashes. Nearly every request has one, and one pass costs less than the expressions.
 */
export function isPlainTarget(target: string): boolean {
  if (target.charCodeAt(0) !== SLASH) return false;
  let inQuery = false;
  let previous = 0;
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return false;
    if (inQuery) continue;
    if (CHANGED[code] === 1) return false;
    if (previous === SLASH && (code === SLASH || code === DOT)) return false;
    inQuery = code === QUESTION;
    previous = code;
  }
  return true;
}

/** Characters that normalisation may decode, turn or escape. */
const CHANGED = new Uint8Array(128);
for (const character of '%\\"<>^`{|}') CHANGED[character.charCodeAt(0)] = 1;

const [SLASH, DOT, HASH, QUESTION] = [0x2f, 0x2e, 0x23, 0x3f] as const;

/** Fragment, escaped slashes, dot segments, merged slashes: in Envoy's order. The query is never touched. */
export function normalizeTarget(target: string, options: PathOptions): Normalization {
  const fragment = target.indexOf('#');
  if (fragment !== -1 && options.fragment !== 'strip') return REFUSED;
  const whole = fragment === -1 ? target : target.slice(0, fragment);
  const question = whole.indexOf('?');
  const query = question === -1 ? '' : whole.slice(question);
  const original = question === -1 ? whole : whole.slice(0, question);
  let path = original;
  let unescaped = false;
  if (options.escapedSlashes !== 'keep') {
    path = unescapeSlashes(path);
    unescaped = path !== original;
    if (unescaped && options.escapedSlashes === 'reject') return REFUSED;
  }
  if (options.normalizePath) {
    const normal = normalizePath(path);
    if (normal === undefined) return REFUSED;
    path = normal;
  }
  if (options.mergeSlashes) path = mergeSlashes(path);
  const redirects = unescaped && options.escapedSlashes === 'unescape-redirect';
  return { kind: redirects ? 'redirect' : 'path', path: path + query };
}

/** `%2F` and `%5C` decoded, in either case. */
export function unescapeSlashes(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
}

export function mergeSlashes(path: string): string {
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
}

const NEEDS_WORK = /[%\\"<>^`{|}]|\/\.|^[^/]/;
const ESCAPED_UNRESERVED = /%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])/g;

/** RFC 3986 §6.2.2: unreserved characters decoded, `\` as `/`, dot segments removed. Undefined for a path with NUL. */
export function normalizePath(path: string): string | undefined {
  if (!NEEDS_WORK.test(path)) return path;
  if (path.includes('%00') || path.includes('\0')) return undefined;
  const decoded = path
    .replace(ESCAPED_UNRESERVED, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)))
    .replaceAll('\\', '/')
    // googleurl, which Envoy normalises with, escapes these in a path.
    .replace(/["<>^`{|}]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return removeDotSegments(decoded.startsWith('/') ? decoded : `/${decoded}`);
}

function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  const last = segments[segments.length - 1];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  // A final dot segment names a folder: `/a/..` is `/`, `/a/.` is `/a/`.
  if (last === '.' || last === '..') kept.push('');
  return `/${kept.join('/')}`;
}
