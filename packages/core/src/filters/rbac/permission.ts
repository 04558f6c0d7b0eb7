// Permissions: what a request wants to do (Envoy: config.rbac.v3.Permission).
import { MetadataSource, type Int32Range, type Permission, type SourcedMetadata } from '@heddle/xds';
import { compileCidr } from '../../matching/cidr.js';
import { compilePathMatcher, pathOnly } from '../../matching/path-matcher.js';
import { compileStringMatcher } from '../../matching/string-matcher.js';
import { compileUriTemplateAny } from '../../matching/uri-template.js';
import { configFault, withPath } from '../filter-config.js';
import { compileHeaderTest } from './header-test.js';
import { compileMetadataTest } from './metadata-test.js';
import { type RbacRequest, type RbacTest, type RuleScope, negated } from './rbac-request.js';

/** Throws MeshError CONFIG_INVALID for a rule that is malformed or can't be enforced. */
export function compilePermission(permission: Permission, scope: RuleScope): RbacTest {
  const { rule } = permission;
  switch (rule.case) {
    case 'any':
      if (!rule.value) throw configFault('any', 'must be true');
      return () => true;
    case 'andRules':
      return every(compilePermissions('and_rules.rules', rule.value.rules, scope));
    case 'orRules':
      return some(compilePermissions('or_rules.rules', rule.value.rules, scope));
    case 'notRule': {
      const inner = withPath('not_rule', () => compilePermission(rule.value, negated(scope)));
      return (request) => !inner(request);
    }
    case 'sourcedMetadata':
      return withPath('sourced_metadata', () => compileSourcedMetadata(rule.value, scope));
    case 'uriTemplate':
      return withPath('uri_template', () => compileTemplate(rule.value.typedConfig));
    case 'matcher':
      throw configFault('matcher', `extension ${rule.value.name} is not supported`);
    case undefined:
      throw configFault('rule', 'must be set');
    case 'header':
    case 'urlPath':
    case 'destinationIp':
    case 'destinationPort':
    case 'destinationPortRange':
    case 'metadata':
    case 'requestedServerName':
      return compileLeaf(rule, scope);
  }
}

/** At least one permission, each with its place in error messages. */
export function compilePermissions(path: string, list: readonly Permission[], scope: RuleScope): readonly RbacTest[] {
  if (list.length === 0) throw configFault(path, 'must have at least one item');
  return list.map((permission, i) => withPath(`${path}[${i}]`, () => compilePermission(permission, scope)));
}

type Leaf = Extract<
  Permission['rule'],
  {
    case:
      | 'header'
      | 'urlPath'
      | 'destinationIp'
      | 'destinationPort'
      | 'destinationPortRange'
      | 'metadata'
      | 'requestedServerName';
  }
>;

function compileLeaf(rule: Leaf, scope: RuleScope): RbacTest {
  switch (rule.case) {
    case 'header':
      return withPath('header', () => compileHeaderTest(rule.value, scope));
    case 'urlPath': {
      const path = withPath('url_path', () => compilePathMatcher(rule.value));
      return (request) => hasPath(request) && path.matches(request.normalizedPath);
    }
    case 'destinationIp': {
      const inRange = withPath('destination_ip', () => compileCidr(rule.value));
      return ({ destinationIp }) => destinationIp !== undefined && inRange(destinationIp);
    }
    case 'destinationPort': {
      const port = rule.value;
      return ({ destinationPort }) => destinationPort === port;
    }
    case 'destinationPortRange':
      return compilePortRange(rule.value);
    case 'metadata': {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- istiod still sends it
      const test = withPath('metadata', () => compileMetadataTest(rule.value));
      return ({ dynamicMetadata }) => test(dynamicMetadata);
    }
    case 'requestedServerName': {
      const name = withPath('requested_server_name', () => compileStringMatcher(rule.value));
      // Envoy: without SNI the name is empty, and an empty name can match.
      return ({ serverName }) => name.matches(serverName ?? '');
    }
  }
}

/** Metadata of the request or of its route (Envoy: SourcedMetadata). */
export function compileSourcedMetadata(sourced: SourcedMetadata, scope: RuleScope): RbacTest {
  if (sourced.metadataMatcher === undefined) throw configFault('metadata_matcher', 'must be set');
  const test = compileMetadataTest(sourced.metadataMatcher);
  switch (sourced.metadataSource) {
    case MetadataSource.DYNAMIC:
      return ({ dynamicMetadata }) => test(dynamicMetadata);
    case MetadataSource.ROUTE:
      if (!scope.sources.routeMetadata) throw configFault('metadata_source', 'ROUTE is not supported here');
      return ({ routeMetadata }) => test(routeMetadata);
  }
}

function compileTemplate(config: Parameters<typeof compileUriTemplateAny>[0]): RbacTest {
  const template = compileUriTemplateAny(config);
  if (template === undefined) throw configFault('typed_config', `${config?.typeUrl ?? 'nothing'} is not supported`);
  return (request) => hasPath(request) && template.matches(pathOnly(request.normalizedPath));
}

/** Ports in [start, end). */
function compilePortRange({ start, end }: Int32Range): RbacTest {
  if (start < 0 || start > 65_536) throw configFault('destination_port_range', `start ${start} is out of bounds`);
  if (end < 0 || end > 65_536) throw configFault('destination_port_range', `end ${end} is out of bounds`);
  if (start >= end) throw configFault('destination_port_range', `start ${start} must be less than end ${end}`);
  return ({ destinationPort }) => destinationPort !== undefined && destinationPort >= start && destinationPort < end;
}

/** A bare connection has no path, and no path matches nothing. */
export function hasPath(request: RbacRequest): boolean {
  return request.normalizedPath !== '';
}

/** All of the tests. Most lists of a configuration hold one, which stands for itself: each level less is a call less for every rule and request. */
export function every(tests: readonly RbacTest[]): RbacTest {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (request) => {
    for (const test of tests) if (!test(request)) return false;
    return true;
  };
}

/** Any of the tests. */
export function some(tests: readonly RbacTest[]): RbacTest {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (request) => {
    for (const test of tests) if (test(request)) return true;
    return false;
  };
}
