// Conditions on the caller as RBAC principals (Istio: authz/model/generator.go, principal half).
/* eslint-disable @typescript-eslint/no-deprecated -- istiod writes fields of Envoy's that are deprecated, and unions have such arms */
import { type MetadataMatcher, MetadataMatcherSchema, type Principal, PrincipalSchema, type StringMatcher, type ValueMatcher, ValueMatcherSchema, create } from '@heddle/xds'; // prettier-ignore
import { quoteRegex } from '../route/http-action.js';
import { regexMatcher } from '../wire.js';
import { addressRange } from './address-range.js';
import { headerPattern, patternMatcher, textMatcher } from './string-match.js';

type Identifier = Principal['identifier'];

export function principal(identifier: Identifier): Principal {
  return create(PrincipalSchema, { identifier });
}

export const anyPrincipal = (): Principal => principal({ case: 'any', value: true });

export function allPrincipals(ids: readonly Principal[]): Principal {
  return create(PrincipalSchema, { identifier: { case: 'andIds', value: { ids: [...ids] } } });
}

export function onePrincipal(ids: readonly Principal[]): Principal {
  return create(PrincipalSchema, { identifier: { case: 'orIds', value: { ids: [...ids] } } });
}

export function notPrincipal(id: Principal): Principal {
  return principal({ case: 'notId', value: id });
}

function authenticated(principalName: StringMatcher): Principal {
  return create(PrincipalSchema, { identifier: { case: 'authenticated', value: { principalName } } });
}

export function spiffePrincipal(pattern: string): Principal {
  return authenticated(patternMatcher(pattern, 'spiffe://'));
}

export function namespacePrincipal(pattern: string): Principal {
  return authenticated(regexMatcher(`.*/ns/${pattern.split('*').map(quoteRegex).join('.*')}/.*`));
}

/** `NAME` of the policy's namespace or `NAMESPACE/NAME`. */
export function serviceAccountPrincipal(value: string, policyNamespace: string): Principal {
  const slash = value.indexOf('/');
  const namespace = slash < 0 ? policyNamespace : value.slice(0, slash);
  const account = value.slice(slash + 1);
  return authenticated(regexMatcher(`spiffe://.+/ns/${quoteRegex(namespace)}/(.+/|)sa/${quoteRegex(account)}(/.+)?`));
}

export function trustDomainPrincipal(pattern: string): Principal {
  if (pattern === '*') return authenticated(textMatcher('prefix', 'spiffe://'));
  if (!pattern.includes('*')) return authenticated(textMatcher('prefix', `spiffe://${pattern}/`));
  const star = pattern.indexOf('*');
  const domain = `${quoteRegex(pattern.slice(0, star))}[^/]*${quoteRegex(pattern.slice(star + 1))}`;
  return authenticated(regexMatcher(`spiffe://${domain}/.*`));
}

/** `direct`: the connection's peer; otherwise the client that X-Forwarded-For names. */
export function addressPrincipal(block: string, direct: boolean): Principal {
  return principal({ case: direct ? 'directRemoteIp' : 'remoteIp', value: addressRange(block) });
}

export function headerPrincipal(name: string, pattern: string): Principal {
  return principal({ case: 'header', value: headerPattern(name, pattern) });
}

/** `ISSUER/SUBJECT` of a validated token; the last slash divides, since an issuer may be a URL. */
export function requestPrincipal(values: readonly string[]): Principal | undefined {
  const ids = values.map((value) => {
    const [issuer, subject] = issuerAndSubject(value);
    return allPrincipals([claimText('iss', issuer), claimText('sub', subject)]);
  });
  return ids.length > 1 ? onePrincipal(ids) : ids[0];
}

function issuerAndSubject(value: string): readonly [StringMatcher, StringMatcher] {
  const present = regexMatcher('.+');
  const slash = value.lastIndexOf('/');
  const issuer = slash < 0 ? value : value.slice(0, slash);
  const subject = slash < 0 ? '' : value.slice(slash + 1);
  if (value === '*') return [present, present];
  if (value.startsWith('*')) {
    if (slash < 0) return [present, textMatcher('suffix', value.slice(1))];
    return [issuer === '*' ? present : textMatcher('suffix', issuer.slice(1)), textMatcher('exact', subject)];
  }
  if (value.endsWith('*')) {
    if (slash < 0) return [textMatcher('prefix', value.slice(0, -1)), present];
    return [textMatcher('exact', issuer), subject === '*' ? present : textMatcher('prefix', subject.slice(0, -1))];
  }
  return [textMatcher('exact', issuer), textMatcher('exact', subject)];
}

function claimText(claim: string, matcher: StringMatcher): Principal {
  const value = create(ValueMatcherSchema, { matchPattern: { case: 'stringMatch', value: matcher } });
  return principal({ case: 'metadata', value: tokenMetadata([claim], value) });
}

/** A claim that is one of the values or a list with one of them. `claims` is its path. */
export function claimPrincipal(claims: readonly string[], patterns: readonly string[]): Principal {
  const texts = patterns.map((pattern) =>
    create(ValueMatcherSchema, { matchPattern: { case: 'stringMatch', value: patternMatcher(pattern) } }),
  );
  const value = oneValue(texts);
  const inList = create(ValueMatcherSchema, {
    matchPattern: { case: 'listMatch', value: { matchPattern: { case: 'oneOf', value } } },
  });
  const either = create(ValueMatcherSchema, {
    matchPattern: { case: 'orMatch', value: { valueMatchers: [inList, value] } },
  });
  return principal({ case: 'metadata', value: tokenMetadata(claims, either) });
}

export function oneValue(values: readonly ValueMatcher[]): ValueMatcher {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return only;
  return create(ValueMatcherSchema, { matchPattern: { case: 'orMatch', value: { valueMatchers: [...values] } } });
}

function tokenMetadata(claims: readonly string[], value: ValueMatcher): MetadataMatcher {
  return create(MetadataMatcherSchema, {
    filter: 'envoy.filters.http.jwt_authn',
    path: ['payload', ...claims].map((key) => ({ segment: { case: 'key' as const, value: key } })),
    value,
  });
}
