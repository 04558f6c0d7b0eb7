// Path rewrites of routes and redirects: by prefix, by regex, by URI template. Query and fragment stay (Envoy: RouteEntryImplBase::finalizePathHeader).
import type { RegexMatchAndSubstitute, TypedExtensionConfig } from '@heddle/xds';
import { MeshError } from '../../errors.js';
import { type CompiledPath, pathOnly } from '../../matching/path-matcher.js';
import { compileSafeRegex } from '../../matching/safe-regex.js';
import { URI_TEMPLATE_REWRITE_TYPE_URL, uriTemplateText } from '../../matching/uri-template.js';

export type PathRewrite = (path: string) => string;

/** `prefix_rewrite`: the matched prefix is exchanged; where a whole path was matched (exact, regex, template), the whole path is. */
export function prefixRewrite(matched: CompiledPath, replacement: string): PathRewrite {
  switch (matched.kind) {
    case 'prefix':
    case 'separated-prefix': {
      const { length } = matched.value;
      return (path) => replacement + path.slice(length);
    }
    case 'exact':
    case 'template':
    case 'other':
      return (path) => replacement + path.slice(pathOnly(path).length);
  }
}

/** `regex_rewrite`: every match in the path is replaced. Throws MeshError CONFIG_INVALID. */
export function regexRewrite(rewrite: RegexMatchAndSubstitute): PathRewrite {
  const regex = compileSafeRegex(rewrite.pattern?.regex ?? '');
  const { substitution } = rewrite;
  regex.checkSubstitution(substitution);
  return (path) => {
    const only = pathOnly(path);
    return regex.replaceAll(only, substitution) + path.slice(only.length);
  };
}

/** `path_rewrite_policy`: a URI template over the variables of the matched one. Throws MeshError CONFIG_INVALID. */
export function templateRewrite(matched: CompiledPath, policy: TypedExtensionConfig): PathRewrite {
  const text = uriTemplateText(policy.typedConfig, URI_TEMPLATE_REWRITE_TYPE_URL);
  if (text === undefined) throw new MeshError('CONFIG_INVALID', `only ${URI_TEMPLATE_REWRITE_TYPE_URL} is supported`);
  if (matched.kind !== 'template')
    throw new MeshError('CONFIG_INVALID', 'needs a path_match_policy with a URI template');
  const { template } = matched;
  template.checkRewrite(text);
  return (path) => {
    const only = pathOnly(path);
    const rewritten = template.rewrite(only, text);
    return rewritten === undefined ? path : rewritten + path.slice(only.length);
  };
}
