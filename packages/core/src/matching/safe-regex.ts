// Regular expressions from configuration: RE2 syntax, linear time, always matched against the whole text as Envoy does. The only home of re2js.
import { createRequire } from 'node:module';
import type * as re2js from 're2js';
import { MeshError } from '../errors.js';

type RE2JS = re2js.RE2JS;

const load = createRequire(import.meta.url);

/** A compiled RE2 expression. There is no partial match on purpose: `a|b` anchored by hand has let requests past policies elsewhere. */
export interface SafeRegex {
  readonly pattern: string;
  /** True when the whole text matches. */
  matches(text: string): boolean;
  /**
   * Replaces every match in the text (Envoy: RegexMatchAndSubstitute). `\0` is the match, `\1` to `\9` its groups, `\\` a backslash. Throws MeshError
   * CONFIG_INVALID for a substitution that names a missing group; `checkSubstitution` finds that before any request does.
   */
  replaceAll(text: string, substitution: string): string;
  /** Throws MeshError CONFIG_INVALID when the substitution is malformed for this expression. */
  checkSubstitution(substitution: string): void;
}

/** Longest pattern taken; istiod's longest are a few hundred characters. Matching itself is linear in the text, so texts need no limit. */
const MAX_PATTERN_LENGTH = 16_384;
/** RE2's own measure of cost; Envoy warns above 100 by default, refuses only where its runtime says so. */
const MAX_PROGRAM_SIZE = 65_536;

/** Compiles a pattern; throws MeshError CONFIG_INVALID when RE2 would not take it. */
export function compileSafeRegex(pattern: string): SafeRegex {
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new MeshError('CONFIG_INVALID', `regex longer than ${MAX_PATTERN_LENGTH} characters`);
  const trivial = trivialMatch(pattern);
  // What needs no engine is good RE2 and small; the engine is large, and loaded with the first expression that needs it.
  return new CompiledRegex(pattern, trivial === undefined ? compileRe2(pattern) : undefined, trivial);
}

function compileRe2(pattern: string): RE2JS {
  let compiled: RE2JS;
  try {
    compiled = (load('re2js') as typeof re2js).RE2JS.compile(pattern);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MeshError('CONFIG_INVALID', `regex ${JSON.stringify(pattern)}: ${reason}`, { cause });
  }
  if (compiled.programSize() > MAX_PROGRAM_SIZE)
    throw new MeshError(
      'CONFIG_INVALID',
      `regex ${JSON.stringify(pattern)}: too large (more than ${MAX_PROGRAM_SIZE} instructions)`,
    );
  return compiled;
}

/** What a substitution is made of: literal text, or the number of a group. */
type SubstitutionPart = string | number;

class CompiledRegex implements SafeRegex {
  readonly pattern: string;
  #re2: RE2JS | undefined;
  readonly #trivial: ((text: string) => boolean) | undefined;
  /** Memo of the last substitution: a route has exactly one. */
  #substitution: string | undefined;
  #parts: readonly SubstitutionPart[] = [];

  /** `re2` may be missing where `trivial` answers; substitutions make it. */
  constructor(pattern: string, re2: RE2JS | undefined, trivial: ((text: string) => boolean) | undefined) {
    this.pattern = pattern;
    this.#re2 = re2;
    this.#trivial = trivial;
  }

  matches(text: string): boolean {
    return this.#trivial === undefined ? this.#engine().testExact(text) : this.#trivial(text);
  }

  checkSubstitution(substitution: string): void {
    if (this.#substitution === substitution) return;
    this.#parts = parseSubstitution(substitution, this.#engine().groupCount());
    this.#substitution = substitution;
  }

  replaceAll(text: string, substitution: string): string {
    this.checkSubstitution(substitution);
    const matcher = this.#engine().matcher(text);
    let result = '';
    let copied = 0;
    let lastEnd = -1;
    while (matcher.find()) {
      const start = matcher.start();
      const end = matcher.end();
      // RE2 GlobalReplace: an empty match right behind the previous match is not one.
      if (start === end && start === lastEnd) continue;
      result += text.slice(copied, start);
      for (const part of this.#parts) result += typeof part === 'string' ? part : (matcher.group(part) ?? '');
      copied = end;
      lastEnd = end;
    }
    return result + text.slice(copied);
  }

  #engine(): RE2JS {
    return (this.#re2 ??= compileRe2(this.pattern));
  }
}

/** RE2 rewrite strings: `\0`..`\9` and `\\`; anything else after a backslash is an error (RE2::CheckRewriteString). */
function parseSubstitution(substitution: string, groupCount: number): readonly SubstitutionPart[] {
  const parts: SubstitutionPart[] = [];
  let literal = '';
  for (let i = 0; i < substitution.length; i++) {
    const char = substitution.charAt(i);
    if (char !== '\\') {
      literal += char;
      continue;
    }
    const next = substitution.charAt(++i);
    if (next === '\\') literal += '\\';
    else if (next >= '0' && next <= '9') {
      if (Number(next) > groupCount)
        throw substitutionFault(substitution, `the expression has only ${groupCount} groups`);
      parts.push(literal, Number(next));
      literal = '';
    } else throw substitutionFault(substitution, 'only \\0 to \\9 and \\\\ may follow a backslash');
  }
  parts.push(literal);
  return parts.filter((part) => part !== '');
}

function substitutionFault(substitution: string, reason: string): MeshError {
  return new MeshError('CONFIG_INVALID', `substitution ${JSON.stringify(substitution)}: ${reason}`);
}

const LITERAL = /^[^\\^$.|?*+()[\]{}\n]*$/;

/**
 * The expressions that configurations are mostly made of, answered without the engine: `.*`, `.+`, `literal`, `literal.*`, `a|b|c`. A dot matches
 * anything but a newline (RE2 without dot_nl).
 */
function trivialMatch(pattern: string): ((text: string) => boolean) | undefined {
  if (LITERAL.test(pattern)) return (text) => text === pattern;
  for (const [tail, extra] of [
    ['.*', 0],
    ['.+', 1],
  ] as const) {
    if (!pattern.endsWith(tail)) continue;
    const head = pattern.slice(0, -2);
    if (!LITERAL.test(head)) return undefined;
    return (text) => text.length >= head.length + extra && text.startsWith(head) && !text.includes('\n', head.length);
  }
  const choices = pattern.split('|');
  if (!choices.every((choice) => LITERAL.test(choice))) return undefined;
  const known = new Set(choices);
  return (text) => known.has(text);
}
