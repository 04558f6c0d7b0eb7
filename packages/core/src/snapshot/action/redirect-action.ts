// Redirects: status and Location (Envoy: Utility::newUri, RedirectConfig).
import { type RedirectAction as RedirectMessage, RedirectAction_RedirectResponseCode as Code } from '@heddle/xds';
import type { CompiledPath } from '../../matching/path-matcher.js';
import type { RequestHead } from '../../request-head.js';
import type { CompileReport } from '../compile-report.js';
import type { RedirectAction } from '../route-snapshot.js';
import { checkHeaderValue } from './header-value.js';
import { type PathRewrite, prefixRewrite, regexRewrite } from './path-rewrite.js';

/** Compiles a redirect; faults are reported at `path`. */
export function compileRedirect(
  redirect: RedirectMessage,
  matched: CompiledPath,
  path: string,
  report: CompileReport,
): RedirectAction {
  checkHeaderValue(redirect.hostRedirect, `${path}.host_redirect`, report);
  const rewrite = compilePathPart(redirect, matched, path, report);
  const scheme = schemeOf(redirect);
  const port = redirect.portRedirect === 0 ? '' : `:${redirect.portRedirect}`;
  const { hostRedirect, stripQuery } = redirect;
  return {
    kind: 'redirect',
    status: statusOf(redirect.responseCode),
    location(head) {
      const finalScheme = scheme ?? head.scheme;
      const host = hostRedirect === '' ? requestHost(head, finalScheme, port !== '') : hostRedirect;
      return `${finalScheme}://${host}${port}${finalPath(head.path, rewrite, stripQuery)}`;
    },
  };
}

/** The redirect of a virtual host that requires TLS (Envoy: SslRedirector): 301 to the same URL over https. */
export const tlsRedirect: RedirectAction = {
  kind: 'redirect',
  status: 301,
  location: (head) => `https://${requestHost(head, 'https', false)}${head.path}`,
};

/** What is done to the path, and whether it brings a query of its own (which then wins over the request's and over strip_query). */
interface RedirectPath {
  readonly rewrite: PathRewrite;
  readonly ownQuery: boolean;
}

function finalPath(path: string, change: RedirectPath | undefined, stripQuery: boolean): string {
  const changed = change === undefined ? path : change.rewrite(path);
  if (!stripQuery || change?.ownQuery === true) return changed;
  const query = changed.indexOf('?');
  return query === -1 ? changed : changed.slice(0, query);
}

function compilePathPart(
  redirect: RedirectMessage,
  matched: CompiledPath,
  path: string,
  report: CompileReport,
): RedirectPath | undefined {
  const specifier = redirect.pathRewriteSpecifier;
  switch (specifier.case) {
    case 'pathRedirect': {
      const { value } = specifier;
      // Envoy: an empty path leaves the request's; istiod writes one where a redirect is of the scheme or the port alone.
      if (value === '') return undefined;
      checkHeaderValue(value, `${path}.path_redirect`, report);
      const ownQuery = value.includes('?');
      return { ownQuery, rewrite: ownQuery ? () => value : (came) => value + queryOf(came) };
    }
    case 'prefixRewrite':
      checkHeaderValue(specifier.value, `${path}.prefix_rewrite`, report);
      return { ownQuery: false, rewrite: prefixRewrite(matched, specifier.value) };
    case 'regexRewrite': {
      const rewrite = report.attempt(`${path}.regex_rewrite`, () => regexRewrite(specifier.value));
      return rewrite === undefined ? undefined : { ownQuery: false, rewrite };
    }
    case undefined:
      return undefined;
  }
}

function queryOf(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? '' : path.slice(query);
}

function schemeOf(redirect: RedirectMessage): string | undefined {
  const specifier = redirect.schemeRewriteSpecifier;
  if (specifier.case === 'schemeRedirect' && specifier.value !== '') return specifier.value;
  return specifier.case === 'httpsRedirect' && specifier.value ? 'https' : undefined;
}

/** The request's host; its port goes when the redirect sets one, or when it was the old scheme's default and the scheme changes. */
function requestHost(head: RequestHead, newScheme: string, portSet: boolean): string {
  const { authority } = head;
  const match = /^(.*)(:\d+)$/.exec(authority);
  if (match?.[1] === undefined || (authority.startsWith('[') && !match[1].endsWith(']'))) return authority;
  const protocol = head.header('x-forwarded-proto') ?? head.scheme;
  const wasDefault =
    newScheme !== protocol &&
    ((protocol === 'https' && match[2] === ':443') || (protocol === 'http' && match[2] === ':80'));
  return portSet || wasDefault ? match[1] : authority;
}

function statusOf(code: Code): number {
  switch (code) {
    case Code.MOVED_PERMANENTLY:
      return 301;
    case Code.FOUND:
      return 302;
    case Code.SEE_OTHER:
      return 303;
    case Code.TEMPORARY_REDIRECT:
      return 307;
    case Code.PERMANENT_REDIRECT:
      return 308;
  }
}
