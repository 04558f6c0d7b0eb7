// VirtualService match -> RouteMatch (Istio: TranslateRouteMatch).
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
  create,
} from '@heddle/xds';
import type { HttpMatchSpec, StringMatch } from '../../view/spec/istio.js';
import { stringMatcher } from '../wire.js';

/** `segments`: prefixes end at a path segment, as Gateway API wants it. */
export function routeMatch(match: HttpMatchSpec | undefined, segments: boolean): RouteMatch {
  if (match === undefined) return create(RouteMatchSchema, { pathSpecifier: { case: 'prefix', value: '/' } });
  const named = [
    ...Object.entries(match.headers ?? {}).map(([name, value]) => headerMatch(name, value)),
    ...Object.entries(match.withoutHeaders ?? {}).map(([name, value]) => withoutHeader(name, value)),
  ].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const pseudo = [
    [':method', match.method],
    [':authority', match.authority],
    [':scheme', match.scheme],
  ] as const;
  return create(RouteMatchSchema, {
    pathSpecifier: pathMatch(match.uri, segments),
    caseSensitive: match.ignoreUriCase !== true,
    headers: [...named, ...pseudo.flatMap(([name, value]) => (value === undefined ? [] : [headerMatch(name, value)]))],
    queryParameters: Object.entries(match.queryParams ?? {}).map(([name, value]) => queryMatch(name, value)),
  });
}

function pathMatch(uri: StringMatch | undefined, segments: boolean): RouteMatch['pathSpecifier'] {
  if (uri?.exact !== undefined) return { case: 'path', value: uri.exact };
  if (uri?.regex !== undefined) {
    return create(RouteMatchSchema, { pathSpecifier: { case: 'safeRegex', value: { regex: uri.regex } } })
      .pathSpecifier;
  }
  const prefix = uri?.prefix ?? '/';
  if (segments && prefix !== '/') return { case: 'pathSeparatedPrefix', value: prefix.replace(/\/$/, '') };
  return { case: 'prefix', value: prefix };
}

/** An empty match, or the regex `*` that is no regex, asks only that the header is there. */
function asksPresence(match: StringMatch | null): boolean {
  return match === null || match.regex === '*' || stringMatcher(match) === undefined;
}

function headerMatch(name: string, match: StringMatch | null): HeaderMatcher {
  const value = match === null || asksPresence(match) ? undefined : stringMatcher(match);
  return create(HeaderMatcherSchema, {
    name,
    headerMatchSpecifier: value === undefined ? { case: 'presentMatch', value: true } : { case: 'stringMatch', value },
  });
}

function withoutHeader(name: string, match: StringMatch | null): HeaderMatcher {
  const matcher = headerMatch(name, match);
  matcher.invertMatch = true;
  // Envoy takes treat_missing_header_as_empty only with a value: a missing header then does not have the value.
  if (!asksPresence(match)) matcher.treatMissingHeaderAsEmpty = true;
  return matcher;
}

function queryMatch(name: string, match: StringMatch | null): QueryParameterMatcher {
  const value = match === null || asksPresence(match) ? undefined : stringMatcher(match);
  return create(QueryParameterMatcherSchema, {
    name,
    queryParameterMatchSpecifier:
      value === undefined ? { case: 'presentMatch', value: true } : { case: 'stringMatch', value },
  });
}

/** Matches every request of its virtual host: nothing after it can be reached. */
export function isCatchAll(match: RouteMatch): boolean {
  if (match.headers.length > 0 || match.queryParameters.length > 0 || match.dynamicMetadata.length > 0) return false;
  const path = match.pathSpecifier;
  if (path.case === 'prefix' || path.case === 'pathSeparatedPrefix') return path.value === '/';
  return path.case === 'safeRegex' && path.value.regex === '.*';
}
