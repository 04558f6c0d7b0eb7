// Host header rewrites of routes: literal, from the endpoint, from a header, from the path (Envoy: RouteAction.host_rewrite_specifier).
import type { RouteAction } from '@heddle/xds';
import { headerKey } from '../../matching/header-matcher.js';
import { pathOnly } from '../../matching/path-matcher.js';
import { regexRewrite } from './path-rewrite.js';
import type { CompileReport } from '../compile-report.js';
import type { ForwardAction } from '../route-snapshot.js';
import { checkHeaderValue } from './header-value.js';

type HostRewrite = Pick<ForwardAction, 'hostRewrite' | 'hostRewriteFrom'>;
const NONE: HostRewrite = { hostRewrite: undefined, hostRewriteFrom: undefined };

export function compileHostRewrite(
  specifier: RouteAction['hostRewriteSpecifier'],
  path: string,
  report: CompileReport,
): HostRewrite {
  switch (specifier.case) {
    case 'hostRewriteLiteral':
      checkHeaderValue(specifier.value, `${path}.host_rewrite_literal`, report);
      return { ...NONE, hostRewrite: specifier.value };
    case 'autoHostRewrite':
      return specifier.value.value ? { ...NONE, hostRewrite: { auto: true } } : NONE;
    case 'hostRewriteHeader': {
      checkHeaderValue(specifier.value, `${path}.host_rewrite_header`, report);
      const name = headerKey(specifier.value);
      // Envoy: an absent or empty header leaves the host as it is.
      return { ...NONE, hostRewriteFrom: (head) => head.header(name) || undefined };
    }
    case 'hostRewritePathRegex': {
      const rewrite = report.attempt(`${path}.host_rewrite_path_regex`, () => regexRewrite(specifier.value));
      return rewrite === undefined ? NONE : { ...NONE, hostRewriteFrom: (head) => rewrite(pathOnly(head.path)) };
    }
    case 'hostRewrite':
      report.ignored(`${path}.host_rewrite`, 'the host header stays as the caller set it');
      return NONE;
    case undefined:
      return NONE;
  }
}
