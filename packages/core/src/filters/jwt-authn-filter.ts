// JWT authentication is not enforced yet, so a chain that asks for it is refused: a request that needs a token must never pass without one.
import { JWT_AUTHN_TYPE_URL, JwtAuthenticationSchema } from '@heddle/xds';
import { configFault, unpackConfig } from './filter-config.js';
import type { FilterKind } from './http-filter.js';

export const jwtAuthnFilterKind: FilterKind = {
  typeUrl: JWT_AUTHN_TYPE_URL,
  perRouteTypeUrls: [`${JWT_AUTHN_TYPE_URL.slice(0, -'JwtAuthentication'.length)}PerRouteConfig`],
  security: true,
  compile(config, _override, build) {
    const jwt = unpackConfig(JwtAuthenticationSchema, config, build.name);
    const isEmpty =
      jwt === undefined ||
      (jwt.rules.length === 0 && Object.keys(jwt.requirementMap).length === 0 && jwt.filterStateRules === undefined);
    if (isEmpty) return undefined;
    throw configFault(
      build.name,
      'JWT authentication (RequestAuthentication) is not supported; refusing to serve without it',
    );
  },
};
