// Principals: who asks (Envoy: config.rbac.v3.Principal).
import {
  type FilterStateMatcher,
  MtlsAuthenticatedSchema,
  type Principal,
  type Principal_Authenticated,
  type TypedExtensionConfig,
  unpackAny,
} from '@heddle/xds';
import { compileCidr } from '../../matching/cidr.js';
import { compilePathMatcher } from '../../matching/path-matcher.js';
import { compileSanMatchers } from '../../matching/san-matchers.js';
import { compileStringMatcher } from '../../matching/string-matcher.js';
import { configFault, withPath } from '../filter-config.js';
import { compileHeaderTest } from './header-test.js';
import { compileMetadataTest } from './metadata-test.js';
import { compileSourcedMetadata, every, hasPath, some } from './permission.js';
import { PEER_PRINCIPAL_STATE, type RbacRequest, type RbacTest, type RuleScope, negated } from './rbac-request.js';

/** Throws MeshError CONFIG_INVALID for a principal that is malformed or can't be enforced. */
export function compilePrincipal(principal: Principal, scope: RuleScope): RbacTest {
  const { identifier } = principal;
  switch (identifier.case) {
    case 'any':
      if (!identifier.value) throw configFault('any', 'must be true');
      return () => true;
    case 'andIds':
      return every(compilePrincipals('and_ids.ids', identifier.value.ids, scope));
    case 'orIds':
      return some(compilePrincipals('or_ids.ids', identifier.value.ids, scope));
    case 'notId': {
      const inner = withPath('not_id', () => compilePrincipal(identifier.value, negated(scope)));
      return (request) => !inner(request);
    }
    case 'authenticated':
      return withPath('authenticated', () => compileAuthenticated(identifier.value));
    case 'filterState':
      return withPath('filter_state', () => compileFilterState(identifier.value, scope));
    case 'custom':
      return withPath('custom', () => compileCustom(identifier.value));
    case undefined:
      throw configFault('identifier', 'must be set');
    case 'sourceIp':
    case 'directRemoteIp':
    case 'remoteIp':
    case 'header':
    case 'urlPath':
    case 'metadata':
    case 'sourcedMetadata':
      return compileLeaf(identifier, scope);
  }
}

/** At least one principal, each with its place in error messages. */
export function compilePrincipals(path: string, list: readonly Principal[], scope: RuleScope): readonly RbacTest[] {
  if (list.length === 0) throw configFault(path, 'must have at least one item');
  return list.map((principal, i) => withPath(`${path}[${i}]`, () => compilePrincipal(principal, scope)));
}

type Leaf = Extract<
  Principal['identifier'],
  { case: 'sourceIp' | 'directRemoteIp' | 'remoteIp' | 'header' | 'urlPath' | 'metadata' | 'sourcedMetadata' }
>;

function compileLeaf(identifier: Leaf, scope: RuleScope): RbacTest {
  switch (identifier.case) {
    case 'sourceIp': {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- still part of the API
      const inRange = withPath('source_ip', () => compileCidr(identifier.value));
      return ({ sourceIp }) => sourceIp !== undefined && inRange(sourceIp);
    }
    case 'directRemoteIp': {
      const inRange = withPath('direct_remote_ip', () => compileCidr(identifier.value));
      return ({ directRemoteIp, sourceIp }) => {
        const ip = directRemoteIp ?? sourceIp;
        return ip !== undefined && inRange(ip);
      };
    }
    case 'remoteIp': {
      const inRange = withPath('remote_ip', () => compileCidr(identifier.value));
      return ({ remoteIp }) => remoteIp !== undefined && inRange(remoteIp);
    }
    case 'header':
      return withPath('header', () => compileHeaderTest(identifier.value, scope));
    case 'urlPath': {
      const path = withPath('url_path', () => compilePathMatcher(identifier.value));
      return (request) => hasPath(request) && path.matches(request.normalizedPath);
    }
    case 'metadata': {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- istiod still sends it
      const test = withPath('metadata', () => compileMetadataTest(identifier.value));
      return ({ dynamicMetadata }) => test(dynamicMetadata);
    }
    case 'sourcedMetadata':
      return withPath('sourced_metadata', () => compileSourcedMetadata(identifier.value, scope));
  }
}

/** Without a name: any peer with a validated certificate. */
function compileAuthenticated({ principalName }: Principal_Authenticated): RbacTest {
  if (principalName === undefined)
    return ({ peerNames, peerPrincipal }) => peerNames !== undefined || peerPrincipal !== undefined;
  const name = withPath('principal_name', () => compileStringMatcher(principalName));
  return (request) => somePeerName(request, (_, value) => name.matches(value));
}

function compileFilterState(matcher: FilterStateMatcher, scope: RuleScope): RbacTest {
  const { key } = matcher;
  if (!scope.sources.filterState(key)) throw configFault('key', `${JSON.stringify(key)} is not known here`);
  if (matcher.matcher.case !== 'stringMatch') throw configFault('matcher', 'only string_match is supported');
  const text = compileStringMatcher(matcher.matcher.value);
  return (request) => {
    const value = key === PEER_PRINCIPAL_STATE ? request.peerPrincipal : request.filterState?.(key);
    return value !== undefined && text.matches(value);
  };
}

/** The one principal extension there is: a validated client certificate, with a SAN where one is asked for. */
function compileCustom(extension: TypedExtensionConfig): RbacTest {
  const config = unpackAny(MtlsAuthenticatedSchema, extension.typedConfig);
  if (config === undefined) throw configFault('typed_config', `extension ${extension.name} is not supported`);
  const { sanMatcher } = config;
  if (sanMatcher === undefined) {
    if (!config.anyValidatedClientCertificate)
      throw configFault('typed_config', 'one of san_matcher, any_validated_client_certificate must be set');
    return ({ peerNames, peerPrincipal }) => peerNames !== undefined || peerPrincipal !== undefined;
  }
  const sans = withPath('san_matcher', () => compileSanMatchers([sanMatcher]));
  return (request) =>
    somePeerName(request, (type, value) => sans.some((san) => san.type === type && san.matches(value)));
}

function somePeerName(request: RbacRequest, test: (type: string, value: string) => boolean): boolean {
  if (request.peerNames !== undefined) return request.peerNames.some(({ type, value }) => test(type, value));
  return request.peerPrincipal !== undefined && test('uri', request.peerPrincipal);
}
