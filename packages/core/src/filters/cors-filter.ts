// Cross-origin resource sharing: answers preflights and marks responses (Envoy: envoy.filters.http.cors). The policy comes with the route.
import { CORS_POLICY_TYPE_URL, CORS_TYPE_URL, type CorsPolicy, CorsPolicySchema } from '@heddle/xds';
import { type CompiledString, compileStringMatcher } from '../matching/string-matcher.js';
import { unpackConfig, withPath } from './filter-config.js';
import { chosen, runtimeFraction } from './fractional-percent.js';
import type { FilterAction, FilterContext, FilterKind, FilterRequest, HttpFilter } from './http-filter.js';

type Header = readonly [name: string, value: string];

export const corsFilterKind: FilterKind = {
  typeUrl: CORS_TYPE_URL,
  perRouteTypeUrls: [CORS_POLICY_TYPE_URL],
  security: false,
  compile(_config, override, build) {
    const policy = unpackConfig(CorsPolicySchema, override, build.name);
    if (policy === undefined || policy.allowOriginStringMatch.length === 0) return undefined;
    if (policy.shadowEnabled !== undefined)
      build.unsupported('$.shadow_enabled', 'origins are not evaluated in shadow mode');
    return new CorsFilter(build.name, policy);
  },
};

class CorsFilter implements HttpFilter {
  readonly typeUrl = CORS_TYPE_URL;
  readonly #origins: readonly CompiledString[];
  readonly #share: number;
  readonly #common: readonly Header[];
  readonly #preflight: readonly Header[];
  readonly #exposed: readonly Header[];
  readonly #allowPrivateNetwork: boolean;
  readonly #forwardsOtherPreflights: boolean;

  constructor(
    readonly name: string,
    policy: CorsPolicy,
  ) {
    this.#origins = policy.allowOriginStringMatch.map((matcher, i) =>
      withPath(`allow_origin_string_match[${i}]`, () => compileStringMatcher(matcher)),
    );
    this.#share = runtimeFraction(policy.filterEnabled, 1);
    this.#common = policy.allowCredentials === true ? [['access-control-allow-credentials', 'true']] : [];
    this.#preflight = named({
      'access-control-allow-methods': policy.allowMethods,
      'access-control-allow-headers': policy.allowHeaders,
      'access-control-max-age': policy.maxAge,
    });
    this.#exposed = named({ 'access-control-expose-headers': policy.exposeHeaders });
    this.#allowPrivateNetwork = policy.allowPrivateNetworkAccess === true;
    // Envoy: true by default.
    this.#forwardsOtherPreflights = policy.forwardNotMatchingPreflights ?? true;
  }

  decide(request: FilterRequest, { draw }: FilterContext): FilterAction | undefined {
    const origin = request.header('origin');
    if (origin === undefined || origin === '' || !chosen(this.#share, () => draw('filter-enabled'))) return undefined;
    const isPreflight = request.method === 'OPTIONS' && (request.header('access-control-request-method') ?? '') !== '';
    const allowed = this.#origins.some((matcher) => matcher.matches(origin));
    if (!allowed) return isPreflight && !this.#forwardsOtherPreflights ? preflightReply([]) : undefined;
    const headers: readonly Header[] = [['access-control-allow-origin', origin], ...this.#common];
    if (isPreflight) return preflightReply([...headers, ...this.#preflight, ...this.#privateNetwork(request)]);
    return {
      kind: 'amend',
      setRequestHeaders: [],
      removeRequestHeaders: [],
      setResponseHeaders: [...headers, ...this.#exposed],
      dynamicMetadata: undefined,
    };
  }

  explain(request: FilterRequest): ReturnType<HttpFilter['explain']> {
    const origin = request.header('origin');
    if (origin === undefined) return { verdict: 'info', reason: 'no origin header: not a cross-origin request' };
    const allowed = this.#origins.some((matcher) => matcher.matches(origin));
    return { verdict: 'info', reason: `origin ${origin} is ${allowed ? '' : 'not '}allowed` };
  }

  /** WICG Private Network Access: granted only where it is asked for. */
  #privateNetwork(request: FilterRequest): readonly Header[] {
    const asked = request.header('access-control-request-private-network') === 'true';
    return asked && this.#allowPrivateNetwork ? [['access-control-allow-private-network', 'true']] : [];
  }
}

/** Not an error: 200 with no body, as Envoy answers. */
function preflightReply(headers: readonly Header[]): FilterAction {
  return {
    kind: 'reply',
    code: 'INVALID_REQUEST',
    status: 200,
    grpcStatus: undefined,
    headers,
    body: '',
    flag: '',
    details: 'cors_response',
    policy: undefined,
  };
}

function named(values: Readonly<Record<string, string>>): readonly Header[] {
  return Object.entries(values).filter(([, value]) => value !== '');
}
