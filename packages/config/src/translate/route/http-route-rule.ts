// One HTTPRoute rule in VirtualService terms, as istiod converts it (convertHTTPRoute).
import type { ConfigObject, FieldPath } from '../../model/config-object.js';
import { serviceHost } from '../../view/host-names.js';
import type { Destination, HeaderOperations, HeadersSpec, HttpMatchSpec, HttpRuleSpec, MirrorSpec, RedirectSpec, RetrySpec, RewriteSpec, StringMatch, WeightedDestination } from '../../view/spec/istio.js'; // prettier-ignore
import type { BackendRef, HeaderFilterSpec, HttpRouteFilterSpec, HttpRouteMatchSpec, HttpRouteRuleSpec } from '../../view/spec/kubernetes.js'; // prettier-ignore
import { parseGoDuration } from '../../schema/duration.js';
import type { TranslationContext } from '../context.js';

export interface RuleSource {
  readonly object: ConfigObject;
  readonly index: number;
  readonly path: FieldPath;
  readonly context: TranslationContext;
}

export function httpRouteRule(rule: HttpRouteRuleSpec, source: RuleSource): HttpRuleSpec {
  const { name, namespace } = source.object.metadata;
  const filters = filterFields(rule.filters ?? [], source);
  const backends = (rule.backendRefs ?? []).filter((backend) => (backend.weight ?? 1) > 0);
  // Gateway API: a rule without backends answers 500.
  const noBackend = backends.length === 0 && filters.redirect === undefined;
  return {
    name: rule.name ?? `${namespace}.${name}.${source.index}`,
    ...(rule.matches === undefined || rule.matches.length === 0 ? {} : { match: rule.matches.map(httpMatch) }),
    ...filters,
    ...timing(rule),
    ...(noBackend
      ? { directResponse: { status: 500 } }
      : { route: backends.map((backend) => weighted(backend, source)) }),
  };
}

function httpMatch(match: HttpRouteMatchSpec): HttpMatchSpec {
  const { type = 'PathPrefix', value = '/' } = match.path ?? {};
  const prefix = value === '/' ? value : value.replace(/\/$/, '');
  const uri = type === 'Exact' ? { exact: value } : type === 'PathPrefix' ? { prefix } : { regex: value };
  return {
    uri,
    ...(match.method === undefined ? {} : { method: { exact: match.method } }),
    ...(match.headers === undefined ? {} : { headers: named(match.headers) }),
    ...(match.queryParams === undefined ? {} : { queryParams: named(match.queryParams) }),
  };
}

/** Of equal names the first counts (Gateway API). */
function named(entries: NonNullable<HttpRouteMatchSpec['headers']>): Record<string, StringMatch> {
  const found: Record<string, StringMatch> = {};
  for (const { type = 'Exact', name = '', value = '' } of entries) {
    found[name] ??= type === 'Exact' ? { exact: value } : { regex: value };
  }
  return found;
}

interface FilterFields {
  headers?: HeadersSpec;
  redirect?: RedirectSpec;
  rewrite?: RewriteSpec;
  mirrors?: readonly MirrorSpec[];
}

function filterFields(filters: readonly HttpRouteFilterSpec[], source: RuleSource): FilterFields {
  const fields: FilterFields = {};
  filters.forEach((filter) => {
    if (filter.requestRedirect !== undefined) fields.redirect = redirect(filter.requestRedirect);
    else if (filter.urlRewrite !== undefined) fields.rewrite = rewrite(filter.urlRewrite);
    else if (filter.requestMirror !== undefined) {
      fields.mirrors = [...(fields.mirrors ?? []), mirror(filter.requestMirror, source)];
    } else if (filter.requestHeaderModifier !== undefined || filter.responseHeaderModifier !== undefined) {
      fields.headers = { ...fields.headers, ...headerFields(filter) };
    }
  });
  return fields;
}

function headerFields(filter: HttpRouteFilterSpec): HeadersSpec {
  const { requestHeaderModifier: request, responseHeaderModifier: response } = filter;
  return {
    ...(request === undefined ? {} : { request: operations(request) }),
    ...(response === undefined ? {} : { response: operations(response) }),
  };
}

function operations(filter: HeaderFilterSpec): HeaderOperations {
  const map = (list: HeaderFilterSpec['set']) =>
    Object.fromEntries((list ?? []).map(({ name = '', value = '' }) => [name, value]));
  return { set: map(filter.set), add: map(filter.add), remove: filter.remove ?? [] };
}

function redirect(spec: NonNullable<HttpRouteFilterSpec['requestRedirect']>): RedirectSpec {
  const { scheme, hostname, port, statusCode, path } = spec;
  return {
    // Gateway API: the default is 302, and the port of the request stays unless a scheme is given.
    redirectCode: statusCode ?? 302,
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...(scheme === undefined ? {} : { scheme }),
    ...(port !== undefined ? { port } : scheme === undefined ? { derivePort: 'FROM_REQUEST_PORT' as const } : {}),
    ...(path?.replaceFullPath === undefined ? {} : { uri: path.replaceFullPath }),
    ...(path?.replacePrefixMatch === undefined ? {} : { prefixRewrite: path.replacePrefixMatch }),
  };
}

function rewrite({ hostname, path }: NonNullable<HttpRouteFilterSpec['urlRewrite']>): RewriteSpec {
  const prefix = path?.replacePrefixMatch;
  const trimmed = prefix === undefined || prefix === '/' ? prefix : prefix.replace(/\/$/, '');
  return {
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...(prefix === undefined ? {} : { uri: trimmed === undefined || trimmed === '' ? '/' : trimmed }),
    ...(path?.replaceFullPath === undefined
      ? {}
      : { uriRegexRewrite: { match: '/.*', rewrite: path.replaceFullPath } }),
  };
}

function mirror(spec: NonNullable<HttpRouteFilterSpec['requestMirror']>, source: RuleSource): MirrorSpec {
  const { fraction, percent } = spec;
  const value = fraction === undefined ? percent : (100 * (fraction.numerator ?? 0)) / (fraction.denominator ?? 100);
  return {
    destination: destination(spec.backendRef ?? {}, source),
    ...(value === undefined ? {} : { percentage: { value } }),
  };
}

function timing(rule: HttpRouteRuleSpec): { timeout?: string; retries?: RetrySpec } {
  const { request, backendRequest } = rule.timeouts ?? {};
  const wanted = (text: string | undefined) => (text !== undefined && parseGoDuration(text) !== 0 ? text : undefined);
  const total = wanted(request);
  const perTry = wanted(backendRequest);
  if (rule.retry === undefined) {
    const timeout = perTry ?? total;
    return timeout === undefined ? {} : { timeout };
  }
  const codes = (rule.retry.codes ?? []).map(String);
  const retries = {
    attempts: rule.retry.attempts ?? 2,
    retryOn: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', ...codes].join(','),
    ...(rule.retry.backoff === undefined ? {} : { backoff: rule.retry.backoff }),
    ...(perTry === undefined ? {} : { perTryTimeout: perTry }),
  };
  return { retries, ...(total === undefined ? {} : { timeout: total }) };
}

type Backend = NonNullable<HttpRouteRuleSpec['backendRefs']>[number];

function weighted(backend: Backend, source: RuleSource): WeightedDestination {
  const headers = (backend.filters ?? []).reduce<HeadersSpec>(
    (found, filter) => ({ ...found, ...headerFields(filter) }),
    {},
  );
  return { destination: destination(backend, source), weight: backend.weight ?? 1, headers };
}

/** A reference that names no service gets no host; its cluster does not exist and Envoy answers 500. */
function destination(ref: BackendRef, { object, context }: RuleSource): Destination {
  const namespace = ref.namespace ?? object.metadata.namespace;
  const { clusterDomain } = context.view.settings;
  const host = ref.kind === 'Hostname' ? (ref.name ?? '') : serviceHost(ref.name ?? '', namespace, clusterDomain);
  return { host, ...(ref.port === undefined ? {} : { port: { number: ref.port } }) };
}
