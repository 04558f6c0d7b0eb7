// Envoy's URI templates (`/a/{id}/*`, `/files/{rest=**}`), used by routes (path_match_policy) and RBAC. Translated into a safe regex.
import { type Any, fromBinary, StringValueSchema } from '@heddle/xds';
import { MeshError } from '../errors.js';
import { compileSafeRegex } from './safe-regex.js';
import type { CompiledString } from './string-matcher.js';

const paths = 'type.googleapis.com/envoy.extensions.path.';
export const URI_TEMPLATE_MATCH_TYPE_URL = `${paths}match.uri_template.v3.UriTemplateMatchConfig`;
export const URI_TEMPLATE_REWRITE_TYPE_URL = `${paths}rewrite.uri_template.v3.UriTemplateRewriteConfig`;

/** A compiled template. `matches` takes the path without query. */
export interface CompiledTemplate extends CompiledString {
  /** Names of the variables in the order of their capture groups (the first is group 1). */
  readonly variables: readonly string[];
  /** The path made from a rewrite template (`/new/{id}`); undefined when the path does not match. */
  rewrite(path: string, rewriteTemplate: string): string | undefined;
  /** Throws MeshError CONFIG_INVALID for a rewrite template that names an unknown variable. */
  checkRewrite(rewriteTemplate: string): void;
}

/** One path segment, and any number of them (Envoy: uri_template_internal, the characters of RFC 3986 pchar). */
const SEGMENT = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=]+";
const SEGMENTS = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=/]*";

/** The template inside a UriTemplateMatchConfig or UriTemplateRewriteConfig (both hold one string as field 1); undefined for other types. */
export function uriTemplateText(any: Any | undefined, typeUrl: string): string | undefined {
  return any?.typeUrl === typeUrl ? fromBinary(StringValueSchema, any.value).value : undefined;
}

/** Compiles the matcher extension; undefined when the Any holds another one. */
export function compileUriTemplateAny(any: Any | undefined): CompiledTemplate | undefined {
  const text = uriTemplateText(any, URI_TEMPLATE_MATCH_TYPE_URL);
  return text === undefined ? undefined : compileUriTemplate(text);
}

/** Compiles a template; throws MeshError CONFIG_INVALID when it is malformed. */
export function compileUriTemplate(template: string): CompiledTemplate {
  if (!template.startsWith('/')) throw fault(template, 'must start with "/"');
  const variables: string[] = [];
  const pattern = templatePattern(template, template, variables);
  const anyRun = template.indexOf('**');
  if (anyRun !== -1 && /[*{]/.test(template.slice(anyRun + 2))) throw fault(template, '"**" must be the last operator');
  const regex = compileSafeRegex(pattern);
  return {
    matches: (path) => regex.matches(path),
    text: `template ${JSON.stringify(template)}`,
    variables,
    rewrite: (path, rewriteTemplate) =>
      regex.matches(path) ? regex.replaceAll(path, toSubstitution(rewriteTemplate, variables)) : undefined,
    checkRewrite: (rewriteTemplate) => regex.checkSubstitution(toSubstitution(rewriteTemplate, variables)),
  };
}

/** The anchored pattern of a template, `^/a/([..]+)$`; variables are collected in order. */
function templatePattern(text: string, whole: string, variables: string[], nested = false): string {
  let pattern = nested ? '' : '^';
  let rest = text;
  while (rest !== '') {
    if (rest.startsWith('{') && !nested) {
      const close = rest.indexOf('}');
      if (close === -1) throw fault(whole, '"{" without "}"');
      pattern += variablePattern(rest.slice(1, close), whole, variables);
      rest = rest.slice(close + 1);
      continue;
    }
    const literal = /^[^*{}?#]+/.exec(rest)?.[0];
    if (literal !== undefined) {
      pattern += literal.replace(/[\\^$.|+()[\]]/g, '\\$&');
      rest = rest.slice(literal.length);
    } else if (rest.startsWith('**')) {
      pattern += SEGMENTS;
      rest = rest.slice(2);
    } else if (rest.startsWith('*')) {
      pattern += SEGMENT;
      rest = rest.slice(1);
    } else throw fault(whole, `unexpected ${JSON.stringify(rest.charAt(0))}`);
  }
  return nested ? pattern : `${pattern}$`;
}

function variablePattern(body: string, whole: string, variables: string[]): string {
  const equals = body.indexOf('=');
  const name = equals === -1 ? body : body.slice(0, equals);
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) throw fault(whole, `bad variable name ${JSON.stringify(name)}`);
  if (variables.includes(name)) throw fault(whole, `variable ${name} is named twice`);
  if (variables.length === 9) throw fault(whole, 'more than 9 variables');
  variables.push(name);
  const inner = equals === -1 ? '*' : body.slice(equals + 1);
  return `(${templatePattern(inner, whole, variables, true)})`;
}

function toSubstitution(rewriteTemplate: string, variables: readonly string[]): string {
  return rewriteTemplate.replace(/\\/g, '\\\\').replace(/\{([^}]*)\}/g, (_, name: string) => {
    const group = variables.indexOf(name) + 1;
    if (group === 0) throw fault(rewriteTemplate, `variable ${JSON.stringify(name)} is not in the matched template`);
    return `\\${group}`;
  });
}

function fault(template: string, reason: string): MeshError {
  return new MeshError('CONFIG_INVALID', `path template ${JSON.stringify(template)}: ${reason}`);
}
